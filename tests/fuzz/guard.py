"""Runs one input within the bounds that no input may exceed, and says what it did wrong.

Memory: the soft RLIMIT_AS is set to what the process has plus 256 MiB while the input runs. The allocation that goes
beyond fails where it is made, so a short peak counts too; sampling the resident size would miss it, and tracemalloc
sees neither C libraries nor what is fast enough to fuzz. Freed memory that the process still holds is not counted.

Time: ITIMER_PROF counts the processor time of the process, so a loaded or stopped machine makes no finding. An input
that waits instead of working is ended by ticks of the clock, which a stopped process does not pile up.

Writes and network: an audit hook, which also sees what libraries do.

What goes beyond the time, or reaches out, is raised and remembered, because code under test may catch what is raised;
the time is told again and again, because Python itself drops what is raised in a finalizer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from advisor.errors import AdvisorError
from tests.fuzz.harness import Harness

MOST_BYTES = 256 << 20
WAIT_TICK_S = 5.0
WAIT_TICKS = 24
MOST_CHARACTERS = 3_000
"""An error is one line that a person reads."""

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset(
    f"os.{name}" for name in (
        "remove", "rename", "rmdir", "mkdir", "link", "symlink", "truncate", "chmod", "chown", "utime", "setxattr",
    )
)  # fmt: skip
_STARTS = ("subprocess.", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.")
_NETWORK = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"})
_NAMES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})


class Violation(BaseException):
    """The input made the program do what no input may."""


class TookTooLong(BaseException):
    """The processor time, or the time of waiting, is used up."""


@dataclass(frozen=True)
class Finding:
    """What went wrong."""

    kind: str
    """`crash`, `time`, `memory`, `reach` (wrote or connected elsewhere) or `message`."""
    where: str
    """Error and the innermost place in the product, which tells findings apart."""
    detail: str


@dataclass
class _Watch:
    is_on: bool = False
    folder: str = ""
    serves: bool = False
    starts: bool = False
    seen: list[str] = field(default_factory=list)
    late: TookTooLong | None = None
    trusted: set[int] = field(default_factory=set)
    """Threads of the harness itself, such as its server."""
    ports: set[int] = field(default_factory=set)
    """Where the harness's own server listens."""
    is_installed: bool = False


_watch = _Watch()


def trust_this_thread() -> None:
    """Called by a thread that belongs to the harness and not to what is tested."""
    _watch.trusted.add(threading.get_ident())


def trust_port(port: int) -> None:
    """Called for a port on loopback at which the harness itself answers."""
    _watch.ports.add(port)


def judge(harness: Harness, raw: bytes, folder: Path) -> tuple[bool, Finding | None]:
    """Whether the input was read rather than refused, and what it did wrong."""
    if not _watch.is_installed:
        sys.addaudithook(_audit)
        _watch.is_installed = True
    failure: BaseException | None = None
    with _bounds(harness, folder):
        try:
            harness.run(raw, folder)
        except BaseException as error:
            failure = error
    if isinstance(failure, KeyboardInterrupt | SystemExit) and not _watch.seen:
        raise failure
    failure, _watch.late = _watch.late or failure, None
    return failure is None, _finding(harness, failure)


def _finding(harness: Harness, error: BaseException | None) -> Finding | None:
    if _watch.seen:
        return Finding("reach", _watch.seen[0], "; ".join(_watch.seen))
    if error is None:
        return None
    if isinstance(error, harness.refusals):
        return _bad_message(error)
    kind = {TookTooLong: "time", MemoryError: "memory"}.get(type(error), "crash")
    if kind != "crash" and harness.ended_elsewhere:
        return None
    return Finding(kind, f"{type(error).__name__} at {_place(error)}", _text(error))


def _bad_message(error: AdvisorError) -> Finding | None:
    text = str(error)
    if "\n" in text or "\r" in text:
        return Finding("message", f"several lines at {_place(error)}", text[:500])
    if len(text) > MOST_CHARACTERS:
        return Finding("message", f"a long line at {_place(error)}", text[:500])
    return None


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/advisor/" in f.filename.replace("\\", "/")] or list(frames)
    if not ours:
        return "nowhere"
    return f"{ours[-1].filename.replace(chr(92), '/').rpartition('/advisor/')[2]}:{ours[-1].name}"


def _text(error: BaseException) -> str:
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    text = "".join(lines)
    return text if len(text) < 8_000 else text[:2_000] + "\n…\n" + text[-6_000:]


@contextmanager
def _bounds(harness: Harness, folder: Path) -> Iterator[None]:
    _watch.seen.clear()
    _watch.late = None
    _watch.folder, _watch.serves, _watch.starts = os.path.realpath(folder) + os.sep, harness.serves, harness.starts
    no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    before = _limit_memory()
    with _timed(harness.cpu_s):
        _watch.is_on = True
        try:
            yield
        finally:
            _watch.is_on = False
            _free_memory(before)
            sys.dont_write_bytecode = no_bytecode


@contextmanager
def _timed(cpu_s: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    ticks = 0

    def tick(_: int, __: FrameType | None) -> None:
        nonlocal ticks
        ticks += 1
        if ticks >= WAIT_TICKS:
            raise _late(f"waited {WAIT_TICKS * WAIT_TICK_S:.0f} s")

    def spent(_: int, __: FrameType | None) -> None:
        raise _late(f"{cpu_s:g} s of processor time")

    old = signal.signal(signal.SIGPROF, spent), signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_PROF, cpu_s, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, WAIT_TICK_S, WAIT_TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGPROF, old[0])
        signal.signal(signal.SIGALRM, old[1])


def _late(what: str) -> TookTooLong:
    """What is raised; the first of an input is remembered, which tells best where it was."""
    error = TookTooLong(what)
    _watch.late = _watch.late or error
    return error


def _limit_memory() -> tuple[int, int] | None:
    """Only Linux says in `/proc` how much address space there is already."""
    if sys.platform != "linux":
        return None
    import resource

    with open("/proc/self/statm", "rb") as stream:
        now = int(stream.read().split()[0]) * _PAGE
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, before[1]))
    return before


def _free_memory(before: tuple[int, int] | None) -> None:
    if before is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, before)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watch.is_on:
        return
    wrong = _wrong(event, args)
    if wrong is not None and threading.get_ident() not in _watch.trusted:
        _watch.seen.append(wrong)
        raise Violation(wrong)


def _wrong(event: str, args: tuple[Any, ...]) -> str | None:
    """What is wrong with an event; None for most of the many that there are."""
    if event == "open":
        path, _, flags = args
        return _outside(event, path) if isinstance(flags, int) and flags & _WRITING else None
    if event in _CHANGES:
        found = (_outside(event, _below(path, args)) for path in args if isinstance(path, str | bytes))
        return next(filter(None, found), None)
    if event in _NETWORK:
        address = args[-1] if event != "socket.sendmsg" else args[1]
        return None if address is None or _is_allowed(event, address) else f"{event} {address!r}"
    if event in _NAMES:
        return None if _watch.serves and args[0] in _LOOPBACK else f"{event} {args[0]!r}"
    if event.startswith(_STARTS) and not _watch.starts:
        return f"{event} {args[0]!r:.200}"
    return None


def _is_allowed(event: str, address: object) -> bool:
    """Whether it is the harness's own server, or that server choosing a port."""
    if not _watch.serves or not isinstance(address, tuple) or address[0] not in _LOOPBACK:
        return False
    return address[1] in _watch.ports or (event == "socket.bind" and address[1] == 0)


def _below(path: str | bytes, args: tuple[Any, ...]) -> str:
    """A path that may be relative to an open directory, as in `shutil.rmtree`."""
    text = os.fsdecode(path)
    folder = args[-1]
    if os.path.isabs(text) or not isinstance(folder, int) or folder < 0:
        return text
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)


def _outside(event: str, path: object) -> str | None:
    if not isinstance(path, str | bytes | os.PathLike):
        return None  # a descriptor, which somebody opened before
    text = os.path.realpath(os.fsdecode(path))
    if text == os.devnull or (text + os.sep).startswith(_watch.folder):
        return None
    return f"{event} {text}"
