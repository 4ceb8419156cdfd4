"""This program as on another operating system: `python -m tests.fakes.other_system win32|darwin`, a process of its own.

Third-party packages and the standard library are those of this system and are imported first. Then `sys.platform` says
another, modules and functions which that system lacks are gone, and its own interfaces answer as it would. Every module
of the package is imported and the paths that differ are walked. What was seen is printed as JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pkgutil
import platform
import signal
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

GONE = {
    "win32": ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty", "syslog"),
    "darwin": ("winreg", "msvcrt", "_winapi"),
}
NO_OS = {
    "win32": ("fork", "forkpty", "getuid", "geteuid", "getgid", "killpg", "setsid", "getpgid", "sched_getaffinity",
              "sched_setaffinity", "uname", "sysconf", "mkfifo", "getloadavg", "statvfs", "nice"),
    "darwin": ("sched_getaffinity", "sched_setaffinity", "memfd_create", "pidfd_open"),
}  # fmt: skip
NO_SIGNAL = {
    "win32": ("SIGKILL", "SIGALRM", "SIGXCPU", "SIGHUP", "SIGUSR1", "SIGCHLD", "setitimer", "ITIMER_REAL", "alarm")
}
MACHINE = {"win32": "AMD64", "darwin": "arm64"}
FIRST = (
    "aiohttp", "aiohttp_jinja2", "asyncio", "click", "filelock", "gguf", "httpx", "huggingface_hub", "jsonschema",
    "langcodes", "mcp.server", "mcp.server.mcpserver", "platformdirs", "psutil", "py3langid", "pydantic", "pynvml",
    "referencing", "rich.console", "rich.progress", "rich.table", "rich.traceback", "selectors", "shutil", "socket",
    "subprocess", "tempfile", "textual.app", "textual.pilot", "textual_serve.server", "tomli", "tomlkit", "uuid",
    "yaml",
)  # fmt: skip
CHILDREN = frozenset(
    f"advisor.{name}" for name in ("__main__", "cluster.prober", "engine.worker", "trial.code_child", "trial.checker")
)
"""Run as processes of their own; importing them here would load llama.cpp or ray."""


class _Kernel32:
    """What this program asks of kernel32."""

    def IsProcessorFeaturePresent(self, number: int) -> bool:
        return number in (39, 40)

    def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:
        return pid

    def WaitForSingleObject(self, handle: int, milliseconds: int) -> int:
        return 0


class _Registry(types.ModuleType):
    """`winreg`, with one key."""

    HKEY_LOCAL_MACHINE = 1

    class _Key:
        def __enter__(self) -> _Registry._Key:
            return self

        def __exit__(self, *_: object) -> None:
            return

    def OpenKey(self, root: int, path: str) -> _Registry._Key:
        return self._Key()

    def QueryValueEx(self, key: object, name: str) -> tuple[str, int]:
        return "Example Windows Processor ", 1


class _Sysctl:
    """libc of macOS: names that it knows are answered, all others fail."""

    known = ("hw.optional.neon", "hw.optional.arm.FEAT_DotProd")

    def sysctlbyname(self, name: bytes, into: Any, size: Any, new: None, length: int) -> int:
        if name == b"machdep.cpu.brand_string":
            into.value = b"Apple M3 Max"
            return 0
        if name.decode() in self.known:
            into._obj.value = 1
            return 0
        return -1


def become(system: str) -> None:
    """Make this process take itself for one on another system."""
    for name in FIRST:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(importlib.import_module("textual").__path__, "textual."):
        if not any(part in module.name for part in ("drivers", "demo", "_win", "win32", "_sleep", "__main__")):
            importlib.import_module(module.name)
    for name in GONE[system]:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in NO_OS[system]:
        delattr(os, name)
    # The `subprocess` of this system ends children by signals.
    sys.modules["subprocess"].signal = types.SimpleNamespace(**vars(signal))  # type: ignore[attr-defined]
    for name in NO_SIGNAL.get(system, ()):
        delattr(signal, name)
    loaded = ctypes.CDLL

    def library(name: str | None, *rest: Any, **named: Any) -> Any:
        if name is not None:
            return loaded(name, *rest, **named)
        if system == "win32":
            raise TypeError("Windows has no library of the program itself")
        return _Sysctl()

    ctypes.CDLL = library  # type: ignore[misc,assignment]
    if system == "win32":
        sys.modules["winreg"] = _Registry("winreg")
        ctypes.windll = types.SimpleNamespace(kernel32=_Kernel32())  # type: ignore[attr-defined]
    sys.platform = system
    platform.machine = lambda: MACHINE[system]
    # psutil of Windows has this; that of macOS has not.
    if system == "darwin":
        import psutil

        del psutil.Process.cpu_affinity


def import_everything() -> list[str]:
    """The names of all modules, once each of them was imported."""
    package = importlib.import_module("advisor")
    names = [module.name for module in pkgutil.walk_packages(package.__path__, "advisor.")]
    wanted = [name for name in names if name not in CHILDREN]
    for name in wanted:
        importlib.import_module(name)
    return wanted


def engine_path() -> dict[str, Any]:
    """A child that is started, asked and ended."""
    from advisor.engine import operations as ops
    from advisor.engine.client import EngineClient

    with EngineClient(threads=1) as client:
        described = ops.describe(client)
        pid = client.pid
    from psutil import pid_exists

    return {"version": described.version, "ended": pid is not None and not pid_exists(pid)}


def walk(system: str, home: Path) -> dict[str, Any]:
    """Probe, recommendation, engine, files and judging."""
    from advisor.domain.trial.tasks import Pattern
    from advisor.engine.sandbox import Policy, enter
    from advisor.files import write_atomically
    from advisor.gguf.scratch import scratch_dir
    from advisor.hub.model_folders import model_folders
    from advisor.probe.snapshot import probe_machine
    from advisor.service import Advisor
    from advisor.trial.checking import Judge
    from advisor.trial.code_running import _ending

    advisor = Advisor()
    # A root without /proc, as those systems have none.
    machine = probe_machine(advisor.machine().engine, disk_path=home, root=home)
    found = advisor.recommend(machine, advisor.constraints(advisor.answers(settings=[])))
    write_atomically(home / "file.txt", "text", overwrite=False)
    with scratch_dir(home) as scratch:
        is_there = scratch.is_dir()
    with Judge() as judge:
        matched = judge.judge(Pattern("a"), "a").score
    return {
        "platform": machine.platform,
        "cpu": machine.cpu.name.value,
        "cpu_source": machine.cpu.name.source,
        "sets": list(machine.cpu.instruction_sets.value or ()),
        "usable_cores": machine.cpu.usable_cores.value,
        "memory": machine.memory.total_bytes.value,
        "pick": None if found.pick is None else found.pick.id,
        "scratch": [is_there, list(map(str, home.glob("llm-advisor-*")))],
        "pattern": matched,
        "ending": _ending(1, 2.0),
        "places": [str(place.folder) for place in model_folders(environ={"HOME": "/h", "LOCALAPPDATA": "/l"})],
        "protections": [] if system == "darwin" else [[p.id, p.in_force] for p in enter(Policy())],
    }


def main() -> None:
    """Print what was seen, then leave as a visitor's process does when its server is gone."""
    system = sys.argv[1]
    with tempfile.TemporaryDirectory() as home:
        become(system)
        document = {"modules": import_everything(), "engine": engine_path(), **walk(system, Path(home))}
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
    if system == "win32":
        import time

        from advisor.web.child import end_with_server

        end_with_server()
        time.sleep(20)
        os._exit(9)


if __name__ == "__main__":
    main()
