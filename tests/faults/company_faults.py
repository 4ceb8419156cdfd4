"""Homes that are not there, other users, several at once, streams that are closed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.shared import smollm2
from tests.faults.case import Case, Group, Seen
from tests.faults.lab import REPOSITORY, Done, Lab
from tests.faults.making import babbler, tasks, thimble
from tests.faults.parent_faults import HERE, hub
from tests.hub.fetching import ASK, Q4, Disk
from tests.hub.server_faults import Slow

_NOBODY = 65534

# ---------------------------------------------------------------- homes and users

_ASKED: tuple[tuple[object, ...], ...] = (
    ("probe",),
    ("recommend", "--plain"),
    ("size", "llama-3.2-1b-instruct", "--engine"),
    ("settings",),
    ("files",),
)


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
    options: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if "HOME" not in lab.env else {}
    if options:
        _let_nobody(lab)
    runs = [lab.run(*asked, **options) for asked in _ASKED]
    save = lab.run("recommend", *HERE, "-o", lab.work / "rec.toml", **options)
    is_right = all(done.code == 0 and done.is_clean for done in [*runs, save])
    bad = [
        f"{asked[0]}: exit {done.code} {done.last[:120]}" for asked, done in zip(_ASKED, runs, strict=True) if done.code
    ]
    return Seen("; ".join(bad) or "all work, saving elsewhere too", is_right, lab.left())


def _let_nobody(lab: Lab) -> None:
    """The interpreter may lie where only root may look: then another one, with the same packages."""
    for place in (lab.folder, lab.folder.parent):  # both are ours; others' folders are left as they are
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


def two_exports(lab: Lab) -> Seen:
    """One new folder, exported into by several at once, without and with leave to overwrite."""
    lab.run("recommend", *HERE, "-o", "rec.toml")
    asked = ("export", "rec.toml", "--to", "all", "--allow-simulated", "--gguf", "/m/x.gguf", "-o")
    alone = lab.run(*asked, "alone")
    wanted = _contents(lab.work / "alone")
    runs = together(lab, (*asked, "out"), 3)
    codes = sorted(done.code for done in runs)
    is_whole = [_contents(lab.work / "out") == wanted]
    forced = together(lab, (*asked, "out", "--force"), 3)
    is_whole.append(_contents(lab.work / "out") == wanted)
    is_right = alone.code == 0 and codes == [0, 2, 2] and [done.code for done in forced] == [0] * 3 and all(is_whole)
    is_right &= all(done.is_clean for done in [*runs, *forced])
    return Seen(
        f"exits {codes}, all {len(wanted)} files whole: {is_whole[0]}; with --force all write, whole: {is_whole[1]}",
        is_right,
        lab.left(),
    )


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def two_downloads(lab: Lab) -> Seen:
    """One file, downloaded by several at once."""
    with hub(lab) as (server, repo):
        server.script("/lfs/*", Slow(0.02, 40_000), host="store")
        runs = together(lab, (*ASK, "--json"), 3)
        received = sorted(json.loads(done.out)["received_bytes"] for done in runs)
        is_right = received == [0, 0, repo.size(Q4)] and Disk(lab.folder / "hf").holds(repo, Q4)
        is_right &= all(done.code == 0 and done.is_clean for done in runs)
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
    is_right &= codes == [0, 2]
    return Seen(f"exits {codes}, one told that another trial runs; again: all 40 answers known", is_right, lab.left())


def two_refreshes(lab: Lab) -> Seen:
    """The user's catalogue entries, refreshed by several at once."""
    with hub(lab):
        runs = together(lab, ("catalog", "refresh", "tiny-tune"), 3)
        valid = lab.run("show", "tiny-tune", "--json")
    is_right = all(done.code == 0 and done.is_clean for done in runs) and valid.code == 0
    return Seen(f"exits {[done.code for done in runs]}, the entry is readable: exit {valid.code}", is_right, lab.left())


_MEASURED = {
    r"^basis +measured": "measured",
    r"^not measured +other programs kept": "told that the machine is busy",
}
"""What is printed, and what it means."""


def two_measurements(lab: Lab) -> Seen:
    """The same measurement twice at once."""
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder))
    runs = together(lab, ("speed", "thimble-1", "--measure"), 2)
    said = [
        next((text for word, text in _MEASURED.items() if re.search(word, done.out, re.MULTILINE)), "NEITHER")
        for done in runs
    ]
    is_right = all(done.code == 0 and done.is_clean for done in runs) and "NEITHER" not in said
    return Seen(f"exits {[done.code for done in runs]}, {', '.join(said)}", is_right, lab.left())


# ---------------------------------------------------------------- streams


def closed(lab: Lab, redirection: str, arguments: str, code: int, words: str, variable: str = "") -> Seen:
    """A stream as a shell leaves it."""
    shell = f"{variable} {' '.join(lab.command())} {arguments} {redirection}; echo code ${{PIPESTATUS[0]}} >&9"
    command = ["bash", "-c", f"exec 9>codes; {shell}"]
    done = lab.run(command=command)
    found = (lab.work / "codes").read_text().strip()
    is_right = found == f"code {code}" and done.is_clean and not done.out
    is_right &= words in done.last and done.is_one_line if words else not done.err
    return Seen(
        f"exit {found[5:]}{': ' + done.last[:150] if done.last else ', nothing else said'}", is_right, lab.left()
    )


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
)
TWO = Group(
    "Several at once",
    "Two to four processes of the same command.",
    (
        Case("two-caches", "empty caches", "all answer alike, caches whole", two_caches),
        Case("two-questions", "different dry runs, one cache", "no figure mixed up", two_different_dry_runs),
        Case("two-saves", "one file", "one wins, the others are told", two_saves),
        Case("two-exports", "one folder of exports", "one wins, the others are told; files whole", two_exports),
        Case("two-downloads", "one download", "one transfer", two_downloads),
        Case("two-trials", "one journal", "one is told, no answer lost", two_trials),
        Case("two-refreshes", "the user's entries", "readable", two_refreshes),
        Case("two-measurements", "one measurement", "each measures or says that the machine is busy", two_measurements),
    ),
)
STREAMS = Group(
    "Streams and locales",
    "As a shell leaves them.",
    (
        Case(
            "stream-stdout",
            "`models >&-`",
            "exit 2, one line",
            partial(closed, redirection=">&-", arguments="models", code=2, words="standard output cannot be written"),
            True,
        ),
        Case(
            "stream-stdout-file",
            "`recommend -o FILE >&-`",
            "exit 0: nothing was to be printed",
            partial(
                closed, redirection=">&-", arguments="recommend --gpu none --ram 64GiB -o r.toml", code=0, words=""
            ),
        ),
        Case(
            "stream-stdin",
            "`recommend <&-`",
            "exit 0",
            partial(closed, redirection="<&- >/dev/null", arguments="recommend --plain", code=0, words=""),
        ),
        Case(
            "stream-stderr",
            "`nonsense 2>&-`",
            "exit 2, nothing on standard output",
            partial(closed, redirection="2>&-", arguments="nonsense", code=2, words=""),
        ),
        Case(
            "stream-all",
            "no arguments, all closed",
            "exit 2",
            partial(closed, redirection="<&- >&- 2>&-", arguments="", code=2, words=""),
        ),
        Case(
            "stream-head",
            "`models | head -1`",
            "exit 0, no word",
            partial(closed, redirection="| head -1 >/dev/null", arguments="models", code=0, words=""),
        ),
        Case(
            "stream-json-head",
            "`recommend --json | head -c 1`",
            "exit 0, no word",
            partial(closed, redirection="| head -c 1 >/dev/null", arguments="recommend --json", code=0, words=""),
        ),
        Case(
            "stream-help-true",
            "`--help | true`",
            "exit 0, no word",
            partial(closed, redirection="| true", arguments="--help", code=0, words=""),
        ),
        Case(
            "stream-locale",
            "LC_ALL names no locale",
            "exit 0",
            partial(
                closed,
                redirection=">/dev/null",
                arguments="recommend --plain",
                code=0,
                words="",
                variable="LC_ALL=xx_XX.nonsense",
            ),
        ),
    ),
)
