"""Where faults are caused: a home, caches and a temporary directory of its own, and a look at what is left there.

The process becomes the reaper of orphans, so that a child which outlives the program is found among its own children.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).parents[2]
INJECT = Path(__file__).parent / "inject"
_PR_SET_CHILD_SUBREAPER = 36
_TEMPORARY = re.compile(r".*\.tmp|llm-advisor-.*|.*\.incomplete")
PATIENCE_S = 120.0


def reap_orphans() -> None:
    """Let orphans become children of this process."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under `nohup` every child would ignore it, too
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Done:
    """How the program ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def last(self) -> str:
        """The last line of standard error."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def is_one_line(self) -> bool:
        """Whether it ended with one line that says what is wrong."""
        said = [line for line in self.err.splitlines() if line.startswith("llm-advisor: ")]
        return said == [self.last]

    @property
    def is_clean(self) -> bool:
        """Whether nothing speaks of a bug."""
        return not any(word in self.err + self.out for word in ("Traceback", "unexpected ", "Exception ignored"))


class Lab:
    """One place for one fault."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.home, self.tmp, self.work = folder / "home", folder / "tmp", folder / "work"
        for place in (self.home, self.tmp, self.work):
            place.mkdir(parents=True, exist_ok=True)
        self.cache, self.state, self.config = (folder / kind for kind in ("cache", "state", "config"))
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.env = kept | {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "LLM_ADVISOR_CACHE_DIR": str(self.cache),
            "LLM_ADVISOR_STATE_DIR": str(self.state),
            "LLM_ADVISOR_CONFIG_DIR": str(self.config),
            "HF_HOME": str(folder / "hf"),
            "PYTHONPATH": str(REPOSITORY),
            "TEXTUAL_ANIMATIONS": "none",
            # Threads of llama.cpp that wait for each other rest meanwhile: where others compute, spinning takes ages.
            "OMP_WAIT_POLICY": "passive",
        } | variables  # fmt: skip
        reap_orphans()
        self._before = children()

    def command(self, *arguments: object) -> list[str]:
        """The program's command line."""
        return [sys.executable, "-m", "advisor", *map(str, arguments)]

    def start(self, *arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start the program with pipes for streams."""
        settled: dict[str, Any] = {
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
            "errors": "replace", "cwd": self.work,
        } | options  # fmt: skip
        command = options.pop("command", None) or self.command(*arguments)
        settled.pop("command", None)
        return subprocess.Popen(command, env=self.env | dict(env or {}), **settled)

    def run(self, *arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> Done:
        """Run the program to its end."""
        return self.finish(self.start(*arguments, env=env, **options))

    def finish(self, process: subprocess.Popen[str], seconds: float = PATIENCE_S) -> Done:
        """Wait for the end of a program; one that does not end is killed and has the code -9999."""
        started = time.monotonic()
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            return Done(-9999, out or "", (err or "") + "\nit hung", time.monotonic() - started)
        return Done(process.returncode, out or "", err or "", time.monotonic() - started)

    def injected(self, fault: str, patience: int = 100) -> dict[str, str]:
        """The environment in which a fault happens, and hangs are not waited for in full."""
        return {
            "PYTHONPATH": f"{INJECT}{os.pathsep}{self.env['PYTHONPATH']}",
            "LLAMA_FAULT": fault,
            "LLAMA_PATIENCE": str(patience),
        }

    def left(self) -> tuple[str, ...]:
        """Processes, which are ended, and temporary files that are there and should not be."""
        processes = [f"process {name}" for name in end_survivors(self._before)]
        files = {path for path in self.folder.rglob("*") if _TEMPORARY.fullmatch(path.name)} | set(self.tmp.iterdir())
        return (*processes, *sorted(f"file {path.relative_to(self.folder)}" for path in files))

    def scratch(self, name: str = "*") -> list[Path]:
        """Files of a name in scratch folders, which are there while the engine works."""
        return list(self.folder.rglob(f"llm-advisor-*/{name}"))

    def age(self, seconds: float = 120.0) -> None:
        """Make temporary files as old as if nobody had come back for a while."""
        for path in self.folder.rglob("*.tmp"):
            then = path.stat().st_mtime - seconds
            os.utime(path, (then, then))

    def end_all(self) -> None:
        """End what a fault that was broken off leaves running."""
        for process in _living(children() - self._before):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def end_survivors(before: set[int], seconds: float = 3.0) -> list[str]:
    """End what still runs of all that was started since; the command lines of what does so after some seconds."""
    end = time.monotonic() + seconds
    while (found := _living(children() - before)) and time.monotonic() < end:
        time.sleep(0.05)
    names = []
    for process in found:
        with suppress(psutil.NoSuchProcess):
            names.append(" ".join(process.cmdline()[-3:])[:80] or process.name())
            process.kill()
    return names


def engines(pid: int) -> list[psutil.Process]:
    """The engine children of a process."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "advisor.engine.worker" in child.cmdline():
                    found.append(child)
    return found


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> bool:
    """Wait for something to become true; whether it did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def stopped_at_end(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed where it still runs at the end."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def children() -> set[int]:
    """All that this process started and that runs, with what orphans became its own."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _living(pids: set[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)  # an orphan that this process inherited
            else:
                found.append(process)
    return found
