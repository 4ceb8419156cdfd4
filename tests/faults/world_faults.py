"""Drivers that hang or crash, clocks that jump, terminals that go, homes that are not there, other users, two at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Group, Seen
from tests.faults.lab import REPOSITORY, Done, Lab, wait_for
from tests.faults.making import babbler, smollm2, tasks, thimble
from tests.faults.parent_faults import HERE, hub
from tests.hub.fetching import ASK, Q4, Disk
from tests.hub.server import Slow
from tests.test_terminal import Terminal

_NVML = REPOSITORY / "tests" / "fakes" / "nvml" / "fake_nvml.c"
_CLOCK = REPOSITORY / "tests" / "fakes" / "clock" / "fake_clock.c"
_DAY_S = 86_400
_NOBODY = 65534


# ---------------------------------------------------------------- GPU driver


def sick_driver(lab: Lab, behaviour: str, words: str) -> Seen:
    """A driver library that hangs for ever, or takes the process with it."""
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(lab.folder / "libnvidia-ml.so.1"), str(_NVML)], check=True)
    env = {"FAKE_NVML": behaviour, "LD_LIBRARY_PATH": str(lab.folder)}
    runs = [lab.run("probe", env=env), lab.run("recommend", "--plain", env=env)]
    text = runs[0].out + runs[0].err
    is_right = all(done.code == 0 and done.is_clean and done.seconds < 20 for done in runs) and words in text
    said = next((line.strip() for line in text.splitlines() if words in line), text[-200:])
    codes = ", ".join(f"exit {done.code} after {done.seconds:.0f} s" for done in runs)
    return Seen(f"probe, recommend: {codes}; “{said[:160]}”", is_right, lab.left())


# ---------------------------------------------------------------- clock


def _clock(lab: Lab, offset_s: int) -> dict[str, str]:
    library, place = lab.folder / "fake_clock.so", lab.folder / "clock"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(_CLOCK), "-ldl"], check=True)
    place.write_text(str(offset_s))
    return {"LD_PRELOAD": str(library), "FAKE_CLOCK": str(place)}


def other_clock(lab: Lab, days: int) -> Seen:
    """Caches of one time, read at another."""
    asked: tuple[tuple[object, ...], ...] = (
        ("probe",), ("recommend", *HERE, "--plain"), ("size", "llama-3.2-1b-instruct", "--engine"),
        ("catalog", "validate"), ("models",),
    )  # fmt: skip
    before = [lab.run(*one) for one in asked]
    after = [lab.run(*one, env=_clock(lab, days * _DAY_S)) for one in asked]
    again = [lab.run(*one) for one in asked]
    is_right = all(
        done.is_clean and done.code == first.code for done, first in zip(after + again, before * 2, strict=True)
    )
    is_right &= before[1].out == after[1].out == again[1].out
    negative = [
        done for done in after if re.search(r"(?<![\w.])-\d+(\.\d+)? (days?|s|ms|hours?)\b", done.out + done.err)
    ]
    codes = ", ".join(str(done.code) for done in after)
    return Seen(
        f"exits {codes}; same recommendation; {len(negative)} negative ages", is_right and not negative, lab.left()
    )


def jump_during(lab: Lab, work: str, days: int) -> Seen:
    """The clock jumps while something is timed."""
    if work == "measure":
        lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder, 24, 1024))
        done = _jumping(lab, ("speed", "thimble-1", "--measure", "--json"), days, 2.0)
        text = json.dumps(json.loads(done.out)) if done.code == 0 else done.err
        rates = [float(n) for n in re.findall(r'_per_s": (-?[\d.]+)', text)]
        is_right = done.code == 0 and done.is_clean and bool(rates) and min(rates) > 0
        return Seen(
            f"exit {done.code}, rates {', '.join(f'{rate:.0f}' for rate in rates)} tokens/s", is_right, lab.left()
        )
    with hub(lab) as (server, repo):
        server.script("/lfs/*", Slow(0.05, 40_000), host="store")
        done = _jumping(lab, (*ASK, "--json"), days, 1.0)
        is_right = done.code == 0 and done.is_clean and Disk(lab.folder / "hf").holds(repo, Q4)
        seconds = json.loads(done.out).get("seconds") if done.code == 0 else None
        is_right &= seconds is None or 0 <= seconds < 120
        return Seen(f"exit {done.code}, whole and checked", is_right, lab.left())


def _jumping(lab: Lab, arguments: tuple[object, ...], days: int, after_s: float) -> Done:
    process = lab.start(*arguments, env=_clock(lab, 0))
    time.sleep(after_s)
    _clock(lab, days * _DAY_S)
    return lab.finish(process)


# ---------------------------------------------------------------- terminal


def terminal_gone(lab: Lab, how: str, busy: bool) -> Seen:
    """The screens' terminal is closed, or the program told to end."""
    knowledge = thimble(lab.folder, 24 if busy else 4, 2048 if busy else 512)
    terminal = Terminal(lab.folder, knowledge)
    terminal.wait_for("free disk")
    if busy:
        terminal.press("4")
        terminal.wait_for("Thimble 1 ")
        terminal.press("m")
        wait_for(lambda: terminal.engine() is not None)
    started = time.monotonic()
    if how == "close":
        os.close(terminal.process.child_fd)
    else:
        os.kill(terminal.process.pid, getattr(signal, how))
        with suppress(Exception):
            while True:
                terminal._drawn += terminal.process.read_nonblocking(65536, timeout=10)
    status = _ended(terminal.process.pid)
    restored = "\x1b[?1049l" in terminal.drawn or how == "close"
    text = f"ended by signal {status} after {time.monotonic() - started:.0f} s" if status else "did not end"
    text += "" if how == "close" else ", terminal put in order" if restored else ", terminal NOT put in order"
    wanted = 1 if how == "close" else int(getattr(signal, how))
    return Seen(text, status == wanted and restored, lab.left())


def _ended(pid: int, seconds: float = 20.0) -> int | None:
    """The signal that a child of this process ended by, or 128 and its exit code."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 128 + os.WEXITSTATUS(status)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


# ---------------------------------------------------------------- homes and users

_ASKED: tuple[tuple[object, ...], ...] = (
    ("probe",), ("recommend", "--plain"), ("size", "llama-3.2-1b-instruct", "--engine"), ("settings",), ("files",),
)  # fmt: skip


def odd_home(lab: Lab, how: str) -> Seen:
    """Nothing of the environment says where to write, or nothing can be written there."""
    for name in [name for name in lab.env if name.startswith("LLM_ADVISOR_") or name == "HF_HOME"]:
        del lab.env[name]
    if how == "unset":
        del lab.env["HOME"]
    elif how == "missing":
        lab.env["HOME"] = str(lab.folder / "nowhere")
    elif how == "file":
        (lab.folder / "file").write_text("no directory")
        lab.env["HOME"] = str(lab.folder / "file")
    if how != "read-only":
        return _odd_home(lab)
    subprocess.run(["mount", "--bind", lab.home, lab.home], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", lab.home], check=True)
        return _odd_home(lab)
    finally:
        subprocess.run(["umount", "-l", lab.home], check=True)


def _odd_home(lab: Lab) -> Seen:
    options = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if "HOME" not in lab.env else {}
    if options:
        _let_nobody(lab)
    runs = [lab.run(*asked, **options) for asked in _ASKED]
    save = lab.run("recommend", *HERE, "-o", lab.tmp / "rec.toml", **options)
    is_right = all(done.code == 0 and done.is_clean for done in [*runs, save])
    bad = [
        f"{asked[0]}: exit {done.code} {done.last[:120]}" for asked, done in zip(_ASKED, runs, strict=True) if done.code
    ]
    return Seen("; ".join(bad) or "all work, saving elsewhere too", is_right, lab.left())


def _let_nobody(lab: Lab) -> None:
    """The interpreter may lie where only root may look: then another one, with the same packages."""
    for place in (lab.folder, *lab.folder.parents):
        if place != Path("/") and place != Path("/tmp"):
            place.chmod(place.stat().st_mode | 0o055)
    lab.tmp.chmod(0o777)
    lab.work.chmod(0o777)
    if not os.access("/root", os.X_OK) or str(Path(sys.executable).resolve()).startswith("/root/"):
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        lab.env["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), packages])
        lab.command = lambda *arguments: ["/usr/bin/python3", "-m", "advisor", *map(str, arguments)]  # type: ignore[method-assign]


def other_user(lab: Lab) -> Seen:
    """Root's caches, used by somebody who may read and not write them."""
    _let_nobody(lab)
    first = [lab.run(*asked) for asked in _ASKED]
    for path in lab.folder.rglob("*"):
        if path.is_relative_to(lab.cache) or path.is_relative_to(lab.state):
            path.chmod(0o755 if path.is_dir() else 0o644)
    runs = [lab.run(*asked, user=_NOBODY, group=_NOBODY, extra_groups=[]) for asked in _ASKED]
    is_right = all(done.code == 0 and done.is_clean for done in [*first, *runs])
    measure = lab.run(
        "trial", tasks(lab.work, 2), "--file", babbler(lab.folder.parent / "made", smollm2()), "--max-tokens", 4,
        user=_NOBODY, group=_NOBODY, extra_groups=[],
    )  # fmt: skip
    is_right &= measure.code == 2 and measure.is_clean
    bad = [
        f"{asked[0]}: exit {done.code} {done.last[:120]}" for asked, done in zip(_ASKED, runs, strict=True) if done.code
    ]
    return Seen(
        f"{'; '.join(bad) or 'all work'}; trial: exit {measure.code}: {measure.last[:150]}", is_right, lab.left()
    )


# ---------------------------------------------------------------- two at once


def together(lab: Lab, arguments: tuple[object, ...], count: int = 4) -> list[Done]:
    """The same command several times at once."""
    started = [lab.start(*arguments) for _ in range(count)]
    return [lab.finish(process) for process in started]


def two_caches(lab: Lab) -> Seen:
    """Empty caches, filled by several at once."""
    found = [together(lab, asked) for asked in (("probe", "--json"), ("size", "llama-3.2-1b-instruct", "--engine"))]
    runs = [done for group in found for done in group]
    kept = [path for path in lab.cache.rglob("*.json") if json.loads(path.read_text("utf-8"))]
    is_right = all(done.code == 0 and done.is_clean for done in runs) and len(kept) >= 2
    is_right &= len({done.out for done in found[1]}) == 1
    return Seen(
        f"exits {sorted({done.code for done in runs})}, {len(kept)} caches whole, same figures", is_right, lab.left()
    )


def two_different_dry_runs(lab: Lab) -> Seen:
    """Different questions at once, in one cache file: none is forgotten for good, none is mixed up."""
    lab.run("probe")
    contexts = (2048, 4096, 8192, 16384)
    alone = {n: lab.run("size", "llama-3.2-1b-instruct", "--engine", "--ctx", n).out for n in contexts}
    shutil.rmtree(lab.cache)
    lab.run("probe")
    started = {n: lab.start("size", "llama-3.2-1b-instruct", "--engine", "--ctx", n) for n in contexts}
    found = {n: lab.finish(process) for n, process in started.items()}
    again = {n: lab.run("size", "llama-3.2-1b-instruct", "--engine", "--ctx", n).out for n in contexts}
    is_right = all(done.code == 0 for done in found.values()) and {n: d.out for n, d in found.items()} == alone == again
    return Seen("every figure as alone, then and afterwards" if is_right else "figures differ", is_right, lab.left())


def two_saves(lab: Lab) -> Seen:
    """One new file, saved by several at once, without and with leave to overwrite."""
    asked = ("recommend", *HERE, "-o", "rec.toml")
    runs = together(lab, asked)
    codes = sorted(done.code for done in runs)
    forced = together(lab, (*asked, "--force"))
    is_whole = lab.run("verify", "rec.toml", *HERE).code in (0, 4)
    is_right = codes == [0, 2, 2, 2] and [done.code for done in forced] == [0] * 4 and is_whole
    is_right &= all(done.is_clean for done in [*runs, *forced])
    return Seen(
        f"exits {codes}: one wins, the others are told; with --force all write, whole: {is_whole}", is_right, lab.left()
    )


def two_downloads(lab: Lab) -> Seen:
    """One file, downloaded by several at once."""
    with hub(lab) as (server, repo):
        server.script("/lfs/*", Slow(0.02, 40_000), host="store")
        runs = together(lab, (*ASK, "--json"), 3)
        received = sorted(json.loads(done.out)["received_bytes"] for done in runs)
        is_right = received[:2] == [0, 0] and Disk(lab.folder / "hf").holds(repo, Q4)
    return Seen(f"exits {[done.code for done in runs]}, received {received} bytes", is_right, lab.left())


def two_trials(lab: Lab) -> Seen:
    """One journal, two trials at once."""
    file = babbler(lab.folder.parent / "made", smollm2())
    asked = ("trial", tasks(lab.work, 40), "--file", file, "--max-tokens", 16, "--threads", 1, "--ctx", 512)
    runs = together(lab, asked, 2)
    codes = sorted(done.code for done in runs)
    told = any("another trial of the same file is running" in done.err + done.out for done in runs)
    again = lab.run(*asked)
    is_right = told and again.code == 0 and "40 answers known before" in again.err and all(d.is_clean for d in runs)
    return Seen(f"exits {codes}, one told that another trial runs; again: all 40 answers known", is_right, lab.left())


def two_refreshes(lab: Lab) -> Seen:
    """The user's catalogue entries, refreshed by several at once."""
    with hub(lab):
        runs = together(lab, ("catalog", "refresh", "tiny-tune"), 3)
        valid = lab.run("show", "tiny-tune", "--json")
    is_right = all(done.code == 0 and done.is_clean for done in runs) and valid.code == 0
    return Seen(f"exits {[done.code for done in runs]}, the entry is readable: exit {valid.code}", is_right, lab.left())


def two_measurements(lab: Lab) -> Seen:
    """The same measurement twice at once."""
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder))
    runs = together(lab, ("speed", "thimble-1", "--measure"), 2)
    is_right = all(done.code == 0 and done.is_clean for done in runs)
    said = [
        "measured" if "not measured" not in done.out + done.err else "told that the machine is busy" for done in runs
    ]
    return Seen(f"exits {[done.code for done in runs]}, {', '.join(said)}", is_right, lab.left())


# ---------------------------------------------------------------- streams


def closed(lab: Lab, redirection: str, arguments: str, code: int, words: str) -> Seen:
    """A stream as a shell leaves it."""
    shell = f"{' '.join(lab.command())} {arguments} {redirection}; echo code ${{PIPESTATUS[0]}} >&9"
    command = ["bash", "-c", f"exec 9>codes; {shell}"]
    done = lab.run(command=command)
    found = (lab.work / "codes").read_text().strip()
    is_right = found == f"code {code}" and done.is_clean and words in done.err
    return Seen(
        f"exit {found[5:]}{': ' + done.last[:150] if done.last else ', nothing else said'}", is_right, lab.left()
    )


GPU = Group(
    "The GPU driver is sick",
    "A stand-in for libnvidia-ml.so.1 (`tests/fakes/nvml`).",
    (
        Case("gpu-hang", "NVML never answers", "all goes on after 3 s, and it is said", partial(sick_driver, behaviour="hang", words="did not answer")),
        Case("gpu-crash", "NVML crashes its process", "all goes on, and it is said", partial(sick_driver, behaviour="crash", words="crashed"), True),
    ),
)  # fmt: skip
CLOCK = Group(
    "The clock jumps",
    "A wall clock that is set anew (`tests/fakes/clock`); as in life, the monotonic clock goes on.",
    (
        *(
            Case(f"clock-{word}", f"caches of now, read 20 years {word}", "the same answers, no negative age",
                 partial(other_clock, days=days))
            for word, days in (("earlier", -7305), ("later", 7305))
        ),
        *(
            Case(f"clock-{work}-{word}", f"set {word} by 3 days during a {name}", "figures above 0",
                 partial(jump_during, work=work, days=days))
            for work, name in (("measure", "measurement"), ("download", "download"))
            for word, days in (("back", -3), ("forward", 3))
        ),
    ),
)  # fmt: skip
TERMINAL = Group(
    "The terminal goes",
    "The screens in a real pseudo-terminal.",
    (
        Case("terminal-close", "the terminal is closed", "ends by SIGHUP", partial(terminal_gone, how="close", busy=False), True),
        Case("terminal-close-busy", "the terminal is closed amid a measurement", "ends by SIGHUP, no child", partial(terminal_gone, how="close", busy=True)),
        Case("terminal-hup", "SIGHUP", "terminal in order, ends by it", partial(terminal_gone, how="SIGHUP", busy=False)),
        Case("terminal-term", "SIGTERM amid a measurement", "terminal in order, ends by it, no child", partial(terminal_gone, how="SIGTERM", busy=True)),
    ),
)  # fmt: skip
HOME = Group(
    "Homes and users",
    "`probe`, `recommend`, `size --engine`, `settings`, `files`, and saving elsewhere.",
    (
        Case("home-read-only", "a read-only home", "all works", partial(odd_home, how="read-only")),
        Case("home-unset", "no HOME, as nobody", "all works", partial(odd_home, how="unset")),
        Case("home-missing", "HOME does not exist", "all works", partial(odd_home, how="missing")),
        Case("home-file", "HOME is a file", "all works", partial(odd_home, how="file")),
        Case("home-other-user", "another user with root's caches", "all works; what must be kept is told", other_user),
    ),
)  # fmt: skip
TWO = Group(
    "Several at once",
    "Two to four processes of the same command.",
    (
        Case("two-caches", "empty caches", "all answer alike, caches whole", two_caches),
        Case("two-questions", "different dry runs, one cache", "no figure mixed up", two_different_dry_runs),
        Case("two-saves", "one file", "one wins, the others are told", two_saves),
        Case("two-downloads", "one download", "one transfer", two_downloads),
        Case("two-trials", "one journal", "one is told, no answer lost", two_trials),
        Case("two-refreshes", "the user's entries", "readable", two_refreshes),
        Case("two-measurements", "one measurement", "each measures or says that the machine is busy", two_measurements),
    ),
)  # fmt: skip
STREAMS = Group(
    "Streams and locales",
    "As a shell leaves them.",
    (
        Case("stream-stdout", "`models >&-`", "exit 2, one line", partial(closed, redirection=">&-", arguments="models", code=2, words="standard output cannot be written"), True),
        Case("stream-stdout-file", "`recommend -o FILE >&-`", "exit 0: nothing was to be printed", partial(closed, redirection=">&-", arguments="recommend --gpu none --ram 64GiB -o r.toml", code=0, words="")),
        Case("stream-stdin", "`recommend <&-`", "exit 0", partial(closed, redirection="<&- >/dev/null", arguments="recommend --plain", code=0, words="")),
        Case("stream-stderr", "`nonsense 2>&-`", "exit 2, nothing on standard output", partial(closed, redirection="2>&-", arguments="nonsense", code=2, words="")),
        Case("stream-all", "no arguments, all closed", "exit 2", partial(closed, redirection="<&- >&- 2>&-", arguments="", code=2, words="")),
        Case("stream-head", "`models | head -1`", "exit 0, no word", partial(closed, redirection="| head -1 >/dev/null", arguments="models", code=0, words="")),
        Case("stream-json-head", "`recommend --json | head -c 1`", "exit 0, no word", partial(closed, redirection="| head -c 1 >/dev/null", arguments="recommend --json", code=0, words="")),
        Case("stream-help-true", "`--help | true`", "exit 0, no word", partial(closed, redirection="| true", arguments="--help", code=0, words="")),
        Case("stream-locale", "LC_ALL names no locale", "exit 0", partial(closed, redirection=">/dev/null", arguments="recommend --plain", code=0, words="")),
    ),
)  # fmt: skip
