"""Drivers that hang or crash, clocks that jump, terminals that go."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tests.faults.case import Case, Group, Seen
from tests.faults.lab import PATIENCE_S, REPOSITORY, Done, Lab, stopped_at_end, wait_for
from tests.faults.making import thimble
from tests.faults.parent_faults import HERE, has_grown, hub
from tests.hub.fetching import ASK, Q4, Disk
from tests.hub.server_faults import Slow
from tests.test_terminal import Terminal

_NVML = REPOSITORY / "tests" / "fakes" / "nvml" / "fake_nvml.c"
_CLOCK = REPOSITORY / "tests" / "fakes" / "clock" / "fake_clock.c"
_DAY_S = 86_400
_COMMON = "Tiny-Tune-Q4_K_M.gguf"
_COMMON_TYPE = 15
"""The file type that the screens recommend, by name and by its number in llama.cpp (`enum llama_ftype`)."""


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
        done = _jumping(lab, ("speed", "thimble-1", "--measure", "--json"), days, lambda: bool(lab.scratch("slice-*")))
        basis = json.loads(done.out)["basis"] if done.code == 0 else "nothing"
        rates = [float(n) for n in re.findall(r'_per_s": (-?[\d.]+)', done.out)]
        # Beside other work it is not measured but estimated, which says nothing of the clock.
        is_right = done.code == 0 and done.is_clean and basis == "measured" and bool(rates) and min(rates) > 0
        told = ", ".join(f"{rate:.0f}" for rate in rates)
        return Seen(f"exit {done.code}, {basis}: {told} tokens/s", is_right, lab.left())
    with hub(lab) as (server, repo):
        server.script("/lfs/*", Slow(0.05, 40_000), host="store")
        disk = Disk(lab.folder / "hf")
        done = _jumping(lab, (*ASK, "--json"), days, partial(has_grown, disk.partial(repo, Q4), 100_000))
        is_right = done.code == 0 and done.is_clean and disk.holds(repo, Q4)
        seconds = json.loads(done.out).get("seconds") if done.code == 0 else None
        is_right &= seconds is None or 0 <= seconds < 120
        return Seen(f"exit {done.code}, whole and checked", is_right, lab.left())


def _jumping(lab: Lab, arguments: tuple[object, ...], days: int, is_amid: Callable[[], bool]) -> Done:
    """Run a command whose clock jumps as soon as it is amid its work."""
    with stopped_at_end(lab.start(*arguments, env=_clock(lab, 0))) as process:
        if not wait_for(is_amid, PATIENCE_S) or process.poll() is not None:
            raise RuntimeError("it was never amid its work")
        _clock(lab, days * _DAY_S)
        return lab.finish(process)


# ---------------------------------------------------------------- terminal


def terminal_gone(lab: Lab, how: str, busy: bool) -> Seen:
    """The screens' terminal is closed, or the program told to end."""
    knowledge = thimble(lab.folder, 24 if busy else 4, 2048 if busy else 512)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if how == "close-shielded" else signal.SIG_DFL)
    try:
        terminal = Terminal(lab.folder, knowledge, TMPDIR=lab.env["TMPDIR"])
    finally:
        signal.signal(signal.SIGHUP, before)
    terminal.wait_for("free disk")
    if busy:
        terminal.press("4")
        terminal.wait_for("Thimble 1 ")
        terminal.press("m")
        if not wait_for(lambda: lab.scratch("slice-*"), PATIENCE_S):
            raise RuntimeError("no measurement began")
    started = time.monotonic()
    if how.startswith("close"):
        os.close(terminal.process.child_fd)
    else:
        os.kill(terminal.process.pid, getattr(signal, how))
        with suppress(Exception):
            while True:
                terminal._drawn += terminal.process.read_nonblocking(65536, timeout=10)
    status = _ended(terminal.process.pid)
    is_closed = how.startswith("close")
    restored = "\x1b[?1049l" in terminal.drawn or is_closed
    text = f"ended by signal {status}" if status in (1, 15) else f"exit {(status or 0) - 128}"
    text = f"{text} after {time.monotonic() - started:.0f} s" if status else "did not end"
    text += "" if is_closed else ", terminal put in order" if restored else ", terminal NOT put in order"
    wanted = {"close": 1, "close-shielded": 257}.get(how) or int(getattr(signal, how))
    return Seen(text, status == wanted and restored, lab.left())


def download_killed(lab: Lab) -> Seen:
    """The screens die amid a download; the command line goes on with it."""
    with hub(lab, _COMMON, _COMMON_TYPE) as (server, repo):
        disk = Disk(lab.folder / "hf")
        part = disk.partial(repo, _COMMON)
        server.script("/lfs/*", Slow(0.1, 20_000), host="store")
        places = {name: lab.env[name] for name in ("HF_HOME", "HF_ENDPOINT", "LLM_ADVISOR_HUB", "TMPDIR")}
        terminal = Terminal(lab.folder, REPOSITORY / "knowledge", **places)
        terminal.wait_for("free disk")
        terminal.press("3")
        terminal.wait_for("rank 1 of")
        terminal.press("/")
        terminal.wait_for("part of a name")
        terminal.press("Tiny Tune\r")
        terminal.wait_for("Tiny Tune")
        terminal.press("4")
        terminal.wait_for("Tiny Tune")
        terminal.press("d")
        terminal.wait_for("cache?")
        terminal.press("y")
        has_begun = wait_for(partial(has_grown, part, 100_000))
        os.kill(terminal.process.pid, signal.SIGKILL)
        status = _ended(terminal.process.pid)
        kept, left = part.stat().st_size, [text for text in lab.left() if text.startswith("process")]
        server.forgive()
        again = lab.run("download", "tiny-tune", "--quant", "Q4_K_M")
        is_right = has_begun and status == signal.SIGKILL and not left and again.code == 0 and disk.holds(repo, _COMMON)
        text = f"no child, {kept:,} bytes kept; `download` again: exit {again.code}, whole and checked"
        return Seen(text if is_right else f"{text}: NOT SO {left}", is_right, lab.left())


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


GPU = Group(
    "The GPU driver is sick",
    "A stand-in for libnvidia-ml.so.1 (`tests/fakes/nvml`).",
    (
        Case(
            "gpu-hang",
            "NVML never answers",
            "all goes on after 3 s, and it is said",
            partial(sick_driver, behaviour="hang", words="did not answer"),
        ),
        Case(
            "gpu-crash",
            "NVML crashes its process",
            "all goes on, and it is said",
            partial(sick_driver, behaviour="crash", words="crashed"),
            True,
        ),
    ),
)
CLOCK = Group(
    "The clock jumps",
    "A wall clock that is set anew (`tests/fakes/clock`); as in life, the monotonic clock goes on.",
    (
        *(
            Case(
                f"clock-{word}",
                f"caches of now, read 20 years {word}",
                "the same answers, no negative age",
                partial(other_clock, days=days),
            )
            for word, days in (("earlier", -7305), ("later", 7305))
        ),
        *(
            Case(
                f"clock-{work}-{word}",
                f"set {word} by 3 days during a {name}",
                "figures above 0",
                partial(jump_during, work=work, days=days),
            )
            for work, name in (("measure", "measurement"), ("download", "download"))
            for word, days in (("back", -3), ("forward", 3))
        ),
    ),
)
TERMINAL = Group(
    "The terminal goes",
    "The screens in a real pseudo-terminal.",
    (
        Case(
            "terminal-close",
            "the terminal is closed",
            "ends by SIGHUP",
            partial(terminal_gone, how="close", busy=False),
            True,
        ),
        Case(
            "terminal-close-busy",
            "the terminal is closed amid a measurement",
            "ends by SIGHUP, no child",
            partial(terminal_gone, how="close", busy=True),
        ),
        Case(
            "terminal-shielded",
            "the terminal is closed, SIGHUP ignored (`nohup`)",
            "ends all the same",
            partial(terminal_gone, how="close-shielded", busy=False),
        ),
        Case(
            "terminal-hup", "SIGHUP", "terminal in order, ends by it", partial(terminal_gone, how="SIGHUP", busy=False)
        ),
        Case(
            "terminal-term",
            "SIGTERM amid a measurement",
            "terminal in order, ends by it, no child",
            partial(terminal_gone, how="SIGTERM", busy=True),
        ),
        Case(
            "terminal-download",
            "SIGKILL amid a download in Proof",
            "no child; what came is kept and gone on from",
            download_killed,
        ),
    ),
)
