"""What only one operating system has is used where the others do not come by, or behind a question for the system."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "advisor").rglob("*.py"))

MODULES = frozenset(
    {
        "fcntl",
        "grp",
        "msvcrt",
        "posix",
        "pty",
        "pwd",
        "resource",
        "spwd",
        "syslog",
        "termios",
        "tty",
        "winreg",
        "_winapi",
    }
)
"""Modules that not every system has."""
OS_NAMES = frozenset(
    {
        "WEXITSTATUS", "chown", "chroot", "eventfd", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid",
        "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority", "getsid", "getuid", "initgroups", "killpg",
        "lchown", "lockf", "major", "memfd_create", "minor", "mkfifo", "mknod", "nice", "openpty", "pidfd_open",
        "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "pwrite", "sched_getaffinity", "sched_setaffinity",
        "sendfile", "setpgid", "setpriority", "setsid", "setuid", "splice", "startfile", "statvfs", "sync", "sysconf",
        "tcgetpgrp", "ttyname", "uname", "wait3", "wait4", "waitid",
    }
)  # fmt: skip
"""Functions of `os` that the documentation of Python marks as available on some systems only."""
SIGNALS = frozenset({"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"})
"""Signals that Windows has too; `setitimer`, `alarm` and the like it has not."""
LOOPS = frozenset({"add_signal_handler", "remove_signal_handler", "connect_read_pipe"})
"""Methods of event loops that Windows refuses."""

ELSEWHERE = {
    "advisor/tui/ending.py": "the interval that calls it is set where `os.name` was asked before",
    "advisor/engine/landlock.py": "called by advisor/engine/sandbox.py on Linux alone",
    "advisor/engine/seccomp.py": "called by advisor/engine/sandbox.py on Linux alone",
    "advisor/engine/sandbox.py": "`_lower` is called where Windows has returned before; absent places are left out",
    "advisor/trial/code_child.py": "it refuses to run code where no sandbox is in force, which is before its alarm",
    "advisor/probe/drm.py": "a folder that is not there is a reading without value",
    "advisor/engine/describe.py": "without the boot's number the key of the cache rests on the rest",
    "advisor/engine/memory.py": "the paths are opened on Linux alone",
}
"""Files whose uses are guarded by who calls them, and how; each needs one that the test would otherwise object to."""


def _is_question(node: ast.AST) -> bool:
    """Whether an expression asks which system this is, or whether it has something."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and ast.unparse(part) in ("sys.platform", "os.name"):
            return True
        if isinstance(part, ast.Name) and part.id == "hasattr":
            return True
    return False


def _leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], (ast.Return, ast.Raise, ast.Continue))


def _names(node: ast.AST) -> Iterator[str]:
    """What a single node uses that not every system has."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        yield from (f"import {name}" for name in named if name.partition(".")[0] in MODULES)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner, name = node.value.id, node.attr
        if owner == "os" and name in OS_NAMES:
            yield f"os.{name}"
        if (
            owner == "signal"
            and not name.startswith("Sig")
            and name not in SIGNALS | {"signal", "strsignal", "getsignal", "SIG_DFL", "SIG_IGN"}
        ):
            yield f"signal.{name}"
        if owner == "ctypes" and name in ("windll", "WinDLL", "oledll"):
            yield f"ctypes.{name}"
    elif isinstance(node, ast.Attribute) and node.attr in LOOPS:
        yield node.attr
    elif isinstance(node, ast.Call):
        yield from (f"{word.arg}=" for word in node.keywords if word.arg in ("preexec_fn", "pass_fds"))
        if ast.unparse(node).startswith("ctypes.CDLL(None"):
            yield "ctypes.CDLL(None)"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("/proc/", "/sys/")):
        yield f"path {node.value}"


def unguarded(source: str) -> list[tuple[int, str]]:
    """Lines and names of uses that no question for the system stands before."""
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST, is_guarded: bool) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if not is_guarded:
            found.extend((getattr(node, "lineno", 0), name) for name in _names(node))
        if isinstance(node, (ast.If, ast.IfExp, ast.BoolOp)) and _is_question(
            node if isinstance(node, ast.BoolOp) else node.test
        ):
            is_guarded = True
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                since = is_guarded
                for each in value:
                    if isinstance(each, ast.AST):
                        visit(each, since)
                        since = since or (isinstance(each, ast.If) and _is_question(each.test) and _leaves(each.body))
            elif isinstance(value, ast.AST):
                visit(value, is_guarded)

    visit(ast.parse(source), False)
    return found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import os\nos.fork()", ["os.fork"]),
        ("import fcntl", ["import fcntl"]),
        ("from resource import getrusage", ["import resource"]),
        ("import signal, os\nos.kill(1, signal.SIGKILL)", ["signal.SIGKILL"]),
        ("open('/proc/self/status')", ["path /proc/self/status"]),
        ("subprocess.Popen([], preexec_fn=f)", ["preexec_fn="]),
        ("def f():\n if sys.platform == 'win32':\n  return\n import pwd", []),
        ("def f():\n if x:\n  return\n import pwd", ["import pwd"]),
        ("if hasattr(os, 'killpg'):\n os.killpg(1, 2)", []),
        ("x = not hasattr(os, 'getuid') or os.getuid()", []),
        ("n = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1", []),
        ("'''/proc/self of Linux'''\nsignal.signal(signal.SIGTERM, f)", []),
    ],
)
def test_uses_are_found_and_questions_for_the_system_too(source: str, names: list[str]) -> None:
    assert [name for _, name in unguarded(source)] == names


def test_what_only_some_systems_have_is_used_behind_a_question() -> None:
    bare = {str(path.relative_to(ROOT)): found for path in FILES if (found := unguarded(path.read_text("utf-8"))) != []}
    assert {name: found for name, found in bare.items() if name not in ELSEWHERE} == {}
    assert ELSEWHERE.keys() - bare.keys() == set(), "these need no exception any more"


def test_no_path_is_asked_by_a_method_that_raises_in_a_closed_folder_before_python_3_14() -> None:
    """`advisor.files.is_there`, `is_file` and `is_folder` answer everywhere; entries of a listing never raise so."""
    call = re.compile(r"(?<!\bentry)\.(?:exists|is_dir|is_file)\(\)")
    lines = [(path, line) for path in FILES for line in path.read_text("utf-8").splitlines()]
    assert [f"{path.relative_to(ROOT)}: {line.strip()}" for path, line in lines if call.search(line)] == []


def test_the_names_that_are_looked_for_are_names_of_this_system() -> None:
    """A misspelled one would never be found."""
    assert {name for name in OS_NAMES - {"startfile", "lockf"} if not hasattr(os, name)} == set()
    assert {name for name in SIGNALS if not hasattr(signal, name)} == set()


def seen_on(system: str, cache: Path) -> dict[str, Any]:
    """What a process saw that took itself for one on another system."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fakes.other_system", system],
        cwd=ROOT,
        env={**os.environ, "LLM_ADVISOR_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("system", "name", "cpu", "source", "sets", "cache"),
    [
        ("win32", "windows-amd64", "Example Windows Processor", "registry", ["avx", "avx2"], "/l/llama.cpp"),
        ("darwin", "darwin-arm64", "Apple M3 Max", "sysctl", ["dotprod", "neon"], "/h/Library/Caches/llama.cpp"),
    ],
)
def test_every_module_is_imported_and_the_main_paths_are_walked_as_on_another_system(
    tmp_path: Path, system: str, name: str, cpu: str, source: str, sets: list[str], cache: str
) -> None:
    found = seen_on(system, tmp_path)
    assert len(found["modules"]) > 400
    assert (found["platform"], found["cpu"], found["cpu_source"], found["sets"]) == (name, cpu, source, sets)
    assert found["usable_cores"] > 0
    assert found["memory"] > 0
    assert found["pick"]
    assert found["engine"]["version"]
    assert found["engine"]["ended"], "the child outlived its client"
    assert found["scratch"] == [True, []]
    assert found["pattern"] == 1.0
    assert found["ending"] == "it ended before its test"
    assert cache in found["places"]
    assert not [row for row in found["protections"] if row[1]], "Windows protects nothing, and says so"
