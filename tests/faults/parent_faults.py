"""The program itself is killed or told to end amid its work, and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from advisor.units import counted
from benchmarks.shared import smollm2
from tests.faults.case import Case, Group, Seen
from tests.faults.lab import PATIENCE_S, Lab, engines, stopped_at_end, wait_for
from tests.faults.making import babbler, tasks, thimble
from tests.hub.conftest import ENTRY, REPO
from tests.hub.fetching import ASK, Q4, Disk, mini_gguf
from tests.hub.server import HubServer, Repo
from tests.hub.server_faults import Slow

SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP")
RUNAWAY = r"^((?:.|\n)+)+\x00$"
"""Doubles its time with every character of an answer that has no zero byte."""
HERE = ("--gpu", "none", "--ram", "64GiB")


def amid_writing(lab: Lab, arguments: tuple[object, ...], file: str, again: tuple[object, ...] = ()) -> Seen:
    """Each signal between the last byte and the name of a file that holds something already."""
    path = lab.work / file if not file.startswith("cache/") else lab.folder / file
    first = lab.run(*arguments)
    said, is_right = [], first.code == 0 and path.exists()
    for name in SIGNALS:
        before = path.read_bytes()
        if file.startswith("cache/"):
            path.unlink()
        done = lab.run(*arguments, *again, env=lab.injected(f"write:{name}"))
        kept = path.read_bytes() if path.exists() else b""
        is_whole = kept in (before, b"") if file.startswith("cache/") else kept == before
        is_right &= is_whole and done.code == -getattr(signal, name)
        lab.age()
        redone = lab.run(*arguments, *again)
        is_right &= redone.code == 0 and path.exists()
        said.append(
            f"{name}: ended by {-done.code}, file {'whole' if is_whole else 'DAMAGED'}, again: exit {redone.code}"
        )
    return Seen("; ".join(said), is_right, lab.left())


def export_killed(lab: Lab) -> Seen:
    """Several files; the first is amid writing."""
    lab.run("recommend", *HERE, "-o", "rec.toml")
    more = ("--allow-simulated", "--force")
    return amid_writing(lab, ("export", "rec.toml", "--to", "html", "-o", "out", *more), "out/rec.html")


@contextmanager
def hub(lab: Lab, file: str = Q4, file_type: int | None = None) -> Iterator[tuple[HubServer, Repo]]:
    """A Hub on loopback whose one file the catalogue of the lab knows."""
    (lab.config / "models").mkdir(parents=True, exist_ok=True)
    (lab.config / "models/mine.toml").write_text(ENTRY, "utf-8")
    repo = Repo(REPO, {"README.md": b"# Tiny Tune", file: mini_gguf(lab.folder, file_type=file_type)})
    with HubServer(repo, tokens={}) as server:
        lab.env["HF_ENDPOINT"] = server.url
        lab.env["LLM_ADVISOR_HUB"] = server.url
        if lab.run("catalog", "refresh", "tiny-tune").code != 0:
            raise RuntimeError("the Hub of the lab could not be listed")
        yield server, repo


def download_killed(lab: Lab) -> Seen:
    """A download half way."""
    said, is_right = [], True
    with hub(lab) as (server, repo):
        disk = Disk(lab.folder / "hf")
        partial_file = disk.partial(repo, Q4)
        for name in SIGNALS:
            server.script("/lfs/*", Slow(0.1, 20_000), host="store")
            before = partial_file.stat().st_size if partial_file.exists() else 0
            with stopped_at_end(lab.start(*ASK)) as process:
                wait_for(partial(has_grown, partial_file, before + 100_000))
                process.send_signal(getattr(signal, name))
                done = lab.finish(process)
            kept = partial_file.stat().st_size
            is_right &= kept > before and done.code == -getattr(signal, name) and disk.ggufs() == []
            said.append(f"{name}: {kept:,} bytes kept")
        redone = lab.run(*ASK, "--json")
        received = json.loads(redone.out)["received_bytes"] if redone.code == 0 else 0
        is_right &= redone.code == 0 and disk.holds(repo, Q4) and received == repo.size(Q4) - kept
    told = f"again: exit {redone.code}, the other {received:,} received, whole and checked"
    return Seen("; ".join(said) + f"; {told}", is_right, lab.left())


def with_engine(
    lab: Lab,
    arguments: Callable[[Lab], tuple[object, ...]],
    is_amid: Callable[[Lab, int], bool],
    codes: tuple[int, ...] = (0,),
) -> Seen:
    """Each signal as soon as the process is amid its work; what is left is looked for at once, and at the end."""
    asked, said, is_right = arguments(lab), [], True
    for name in SIGNALS:
        with stopped_at_end(lab.start(*asked)) as process:
            wait_for(lambda: is_amid(lab, process.pid) or process.poll() is not None, PATIENCE_S)
            process.send_signal(getattr(signal, name))
            done = lab.finish(process)
        left = lab.left()
        orphans = [text for text in left if text.startswith("process")]
        files = [text for text in left if text.startswith("file")]
        # Nobody can tidy up after SIGKILL: what it leaves shows that it came amid the work.
        is_right &= done.code == -getattr(signal, name) and not orphans and bool(files) == (name == "SIGKILL")
        said.append(
            f"{name}: no orphan, {counted(len(files), 'scratch folder')}" if not orphans else f"{name}: {orphans}"
        )
    redone = lab.run(*asked)
    is_right &= redone.code in codes
    return Seen("; ".join(said) + f"; again: exit {redone.code}", is_right, lab.left())


def _is_measuring(lab: Lab, pid: int) -> bool:
    """Whether there are slices, and an engine that has computed for longer than llama.cpp takes to start."""
    with suppress(psutil.NoSuchProcess):
        return bool(lab.scratch("slice-*")) and any(sum(one.cpu_times()[:2]) > 1.0 for one in engines(pid))
    return False


def _is_smoking(lab: Lab, pid: int) -> bool:
    """Whether the engine that runs the model is there, beside the one that renders its questions."""
    return bool(lab.scratch()) and len(engines(pid)) == 2


def _measure(lab: Lab) -> tuple[object, ...]:
    lab.env["LLM_ADVISOR_KNOWLEDGE"] = str(thimble(lab.folder, 24, 1024))
    return ("speed", "thimble-1", "--measure")


def _smoke(lab: Lab) -> tuple[object, ...]:
    return ("smoke", babbler(lab.folder.parent / "made", smollm2()), "--set", "task.context_tokens=1024")


def trial_killed(lab: Lab) -> Seen:
    """A trial after some of its answers."""
    file = babbler(lab.folder.parent / "made", smollm2())
    asked = ("trial", tasks(lab.work, 60), "--file", file, "--max-tokens", 24, "--threads", 1, "--ctx", 512)
    said, is_right, known = [], True, 0
    for name in SIGNALS:
        with stopped_at_end(lab.start(*asked)) as process:
            wait_for(partial(_knows_more, lab, known))
            process.send_signal(getattr(signal, name))
            done = lab.finish(process)
        is_right &= done.code == -getattr(signal, name) and n_answers(lab) > known
        known = n_answers(lab)
        said.append(f"{name}: {counted(known, 'answer')} kept")
    redone = lab.run(*asked)
    found = f"{counted(known, 'answer')} known before"
    is_right &= redone.code == 0 and found in redone.err
    return Seen("; ".join(said) + f"; again: exit {redone.code}, “{found}”", is_right, lab.left())


def has_grown(path: Path, n_bytes: int) -> bool:
    """Whether a file is there and longer than so many bytes."""
    return path.exists() and path.stat().st_size > n_bytes


def _knows_more(lab: Lab, known: int) -> bool:
    return n_answers(lab) > known


def n_answers(lab: Lab) -> int:
    """Answers that trials have kept."""
    return sum(path.read_bytes().count(b"\n") for path in lab.state.rglob("*.jsonl")) + sum(
        path.read_bytes().count(b"\n") for path in lab.state.rglob("*.journal")
    )


def code_killed(lab: Lab) -> Seen:
    """The program dies while code of an answer runs; that child must not go on."""
    source = (
        "import sys\nfrom advisor.trial.code_running import run_code\nfrom advisor.domain.trial.tasks import Code\n"
        "print('begun', flush=True)\nrun_code('```python\\nwhile True: pass\\n```', Code(test='', timeout_s=60.0))\n"
    )
    command = [lab.command()[0], "-c", source]
    with stopped_at_end(lab.start(command=command)) as process:
        is_amid = wait_for(lambda: _children_with("advisor.trial.code_child", process))
        process.send_signal(signal.SIGKILL)
        lab.finish(process)
    left = lab.left()
    orphans = [text for text in left if text.startswith("process")]
    again = lab.run(
        command=[lab.command()[0], "-c", "from advisor.gguf.scratch import scratch_dir\nwith scratch_dir(): pass"]
    )
    text = f"{', '.join(orphans) or 'no orphan'}, {counted(len(left), 'scratch folder')}; again: exit {again.code}"
    return Seen(text, is_amid and not orphans and bool(left) and again.code == 0, lab.left())


def checker_orphaned(lab: Lab) -> Seen:
    """The program dies while a pattern of the tasks runs away in its checker."""
    lines = [
        json.dumps({"id": f"t{i}", "prompt": f"Say {i}.", "check": {"kind": "regex", "pattern": RUNAWAY}})
        for i in range(20)
    ]
    (lab.work / "patterns.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    asked = ("trial", "patterns.jsonl", "--file", smollm2(), "--max-tokens", 32, "--threads", 1, "--ctx", 512)
    with stopped_at_end(lab.start(*asked)) as process:
        has_run_away = wait_for(lambda: _runs_away(process), PATIENCE_S)
        checkers = [psutil.Process(pid) for pid in _children_with("checker.py", process)]
        process.send_signal(signal.SIGKILL)
        lab.finish(process)
    started = time.monotonic()
    has_ended = wait_for(lambda: not any(_is_running(one) for one in checkers), 40.0)
    seconds = time.monotonic() - started
    text = f"it ended by itself after {seconds:.0f} s" if has_ended else "IT RUNS ON"
    lab.run("smoke", babbler(lab.folder.parent / "made", smollm2()), "--set", "task.context_tokens=1024")
    return Seen(text, has_run_away and len(checkers) == 1 and has_ended and seconds < 10, lab.left())


def _runs_away(process: subprocess.Popen[str]) -> bool:
    """Whether a checker has computed for longer than any harmless pattern takes."""
    with suppress(psutil.NoSuchProcess):
        return any(sum(psutil.Process(pid).cpu_times()[:2]) > 0.5 for pid in _children_with("checker.py", process))
    return False


def _is_running(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _children_with(word: str, process: subprocess.Popen[str]) -> list[int]:
    """Children of a process whose command line has a word."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += [child.pid] if word in " ".join(child.cmdline()) else []
    return found


GROUP = Group(
    "The program itself: SIGKILL, SIGTERM, SIGHUP",
    "Each signal in turn, then the same command again.",
    (
        Case(
            "parent-save",
            "amid saving a recommendation over an older one",
            "the old file whole; again: exit 0, nothing left",
            partial(amid_writing, arguments=("recommend", *HERE, "-o", "rec.toml", "--force"), file="rec.toml"),
            is_quick=True,
        ),
        Case("parent-export", "amid exporting over older files", "the old file whole; again: exit 0", export_killed),
        Case(
            "parent-cache",
            "amid writing a cache (`probe`)",
            "no cache or a whole one; again: exit 0",
            partial(amid_writing, arguments=("probe", "--json"), file="cache/engine.json"),
        ),
        Case("parent-download", "amid a download", "what came is kept; again: whole, hash checked", download_killed),
        Case(
            "parent-measure",
            "amid a measurement",
            "no orphan; scratch gone at once, after SIGKILL at the next run",
            partial(with_engine, arguments=_measure, is_amid=_is_measuring),
        ),
        Case(
            "parent-smoke",
            "amid a smoke test",
            "no orphan; scratch gone at once, after SIGKILL at the next run",
            partial(with_engine, arguments=_smoke, is_amid=_is_smoking, codes=(4,)),
        ),
        Case("parent-trial", "amid a trial", "every answer kept; again: goes on", trial_killed),
        Case(
            "parent-code",
            "SIGKILL while code of an answer runs",
            "the child ends too; scratch gone at the next run",
            code_killed,
        ),
        Case(
            "parent-pattern",
            "SIGKILL of a trial while a pattern runs away in its checker",
            "the checker ends by itself within 10 s; scratch gone at the next run",
            checker_orphaned,
        ),
    ),
)
