"""What a child gives up before it touches foreign data: files, network, processor time. It is done from inside the
child and cannot be undone, there or in any process started from there.

Linux has all of it without being root, and in a container too: a seccomp filter against sockets, Landlock against
writing elsewhere and against connections where there is no such filter, resource limits against the rest. Network
namespaces would serve as well, but Ubuntu and Docker refuse them, and they take a root user's right to read files. Each
protection that this kernel refuses is left out and named, never silently. macOS has the resource limits alone, Windows
none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from advisor.engine import landlock, seccomp
from advisor.files import is_folder, is_there
from advisor.units import MIB, format_bytes

ProtectionId = Literal["network", "files", "reading", "programs", "limits"]
_KINDS: tuple[ProtectionId, ...] = get_args(ProtectionId)

OPEN_FILES = 1024
"""Enough for the parts of a split model and for several GPUs, each of which takes dozens."""
FILE_SIZE_BYTES = 256 * MIB
"""Largest file that a child may write: caches of compiled GPU code have some megabytes."""

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_GPU_DEVICES = ("nvidia*", "nvidia-caps/*", "dri", "kfd", "dxg", "accel", "mali*", "shm")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take; None leaves a limit as it is."""

    address_space_bytes: int | None = None
    """Counts mapped files and memory that was never touched. No program that uses a GPU can live with one."""
    processor_s: int | None = None
    file_size_bytes: int | None = FILE_SIZE_BYTES
    open_files: int | None = OPEN_FILES


@dataclass(frozen=True, slots=True)
class Policy:
    """What a child may still do."""

    limits: Limits = Limits()
    folders: tuple[Path, ...] = ()
    """Where it may make, change and remove files; they must be there."""
    readable: tuple[Path, ...] | None = None
    """What it may read beside its folders; None for everything."""
    gpus: bool = False
    """Keep GPU drivers working: their device files, shared memory and local sockets."""
    programs: bool = True
    """Whether it may start other programs, which inherit all of this."""


@dataclass(frozen=True, slots=True)
class Protection:
    """One protection, and whether it is in force."""

    id: ProtectionId
    in_force: bool
    text: str
    """How it is enforced, or why it is not."""


def enter(policy: Policy) -> tuple[Protection, ...]:
    """Give it all up, for good; says what could be. Never raises. Call it before reading foreign data and, where there
    is a choice, before starting threads."""
    if sys.platform != "linux":
        missing = f"{_system_name()} lets no ordinary program restrict itself"
        kinds: tuple[ProtectionId, ...] = ("network", "files", *_asked(policy))
        return (*[Protection(kind, False, missing) for kind in kinds], _limits(policy.limits))
    files = _restricted(policy)
    return (*_calls(policy, files), *_files(policy, files), _limits(policy.limits))


def named(rows: Iterable[tuple[str, bool, str]]) -> tuple[Protection, ...]:
    """Protections as a child told them; those that nobody knows are left out."""
    return tuple([Protection(kind, row[1], row[2]) for row in rows for kind in _KINDS if kind == row[0]])


def python_places() -> tuple[Path, ...]:
    """What a Python interpreter needs to read of a system, for `Policy.readable`."""
    named = [Path(place) for place in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    system = [Path("/usr", name) for name in ("lib", "lib64", "local/lib", "share/zoneinfo")]
    system += [Path("/lib"), Path("/lib64"), Path("/etc/ld.so.cache"), Path("/etc/localtime"), Path("/proc/self")]
    return tuple(place for place in [*named, *system, *_devices(Path("/dev"), _DEVICES)] if is_there(place))


def limit_processor(seconds: int) -> None:
    """Let this process take so many more seconds of processor time, of all threads together, before it is killed."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds, keep_hard=True)


@dataclass(frozen=True, slots=True)
class _Landlock:
    version: int | None
    problem: str = ""


def _restricted(policy: Policy) -> _Landlock:
    places = dict.fromkeys(policy.readable or (), landlock.READ)
    kept = [*_devices(Path("/dev"), _DEVICES), *(_devices(Path("/dev"), _GPU_DEVICES) if policy.gpus else ())]
    places |= {path: landlock.WRITE | landlock.READ for path in kept}
    # Its own entry: the name of a thread and the peak of memory are written there.
    places[Path("/proc/self")] = landlock.WRITE | landlock.READ
    if policy.gpus and is_folder(Path("/dev/shm")):
        places[Path("/dev/shm")] = landlock.CREATE | landlock.READ
    places |= {folder: landlock.CREATE | landlock.READ for folder in policy.folders}
    reading = policy.readable is not None
    return _tried(lambda: landlock.restrict(places, reading=reading, abstract_sockets=policy.gpus))


def _tried(restrict: Callable[[], int]) -> _Landlock:
    try:
        return _Landlock(restrict())
    except OSError as error:
        return _Landlock(None, f"this kernel has no Landlock ({error.strerror})")


def _calls(policy: Policy, files: _Landlock) -> list[Protection]:
    """Network and, if asked for, programs."""
    try:
        seccomp.deny(local_sockets=policy.gpus, programs=policy.programs)
    except OSError as error:
        why = f"the kernel refuses a seccomp filter ({error.strerror})"
        if (files.version or 0) >= 4:
            network = Protection("network", True, f"TCP is refused by Landlock; nothing else is: {why}")
        else:
            network = Protection("network", False, why)
        return [network, *([] if policy.programs else [Protection("programs", False, why)])]
    kept = " but those between programs of this machine, which GPU drivers need" if policy.gpus else ""
    found = [Protection("network", True, f"a seccomp filter refuses every socket{kept}")]
    if not policy.programs:
        found.append(Protection("programs", True, "a seccomp filter refuses to start any"))
    return found


def _files(policy: Policy, files: _Landlock) -> list[Protection]:
    if files.version is None:
        kinds: tuple[ProtectionId, ...] = ("files", "reading") if policy.readable is not None else ("files",)
        return [Protection(kind, False, files.problem) for kind in kinds]
    how = f"by Landlock {files.version}"
    where = "its folder" if policy.folders else "device files"
    found = [Protection("files", True, f"written nowhere but in {where}, {how}")]
    if policy.readable is not None:
        found.append(Protection("reading", True, f"read only in its folder and in Python's own, {how}"))
    return found


def _limits(limits: Limits) -> Protection:
    if sys.platform == "win32":
        return Protection("limits", False, "Windows has no limits that a program can set for itself")
    import resource

    wanted = [
        (resource.RLIMIT_CORE, 0, "no core file"),
        (resource.RLIMIT_AS, limits.address_space_bytes, f"{_size(limits.address_space_bytes)} of address space"),
        (resource.RLIMIT_CPU, limits.processor_s, f"{limits.processor_s} s of processor time"),
        (resource.RLIMIT_FSIZE, limits.file_size_bytes, f"files of {_size(limits.file_size_bytes)}"),
        (resource.RLIMIT_NOFILE, limits.open_files, f"{limits.open_files} open files"),
    ]
    done: list[str] = []
    refused: list[str] = []
    for kind, value, text in wanted:
        if value is not None:
            (done if _lower(kind, value) else refused).append(text)
    said = ", ".join(done) + (f"; the system refuses {', '.join(refused)}" if refused else "")
    return Protection("limits", not refused, said)


def _lower(kind: int, value: int, *, keep_hard: bool = False) -> bool:
    """Set a limit, never above what this process was given; whether the system lets it."""
    import resource

    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, hard if keep_hard else value))
    except (ValueError, OSError):
        return False  # macOS knows limits of address space and refuses to set them
    return True


def _devices(root: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(root.glob(pattern))]


def _asked(policy: Policy) -> tuple[ProtectionId, ...]:
    reading: tuple[ProtectionId, ...] = () if policy.readable is None else ("reading",)
    return reading if policy.programs else (*reading, "programs")


def _size(n_bytes: int | None) -> str:
    return "" if n_bytes is None else format_bytes(n_bytes)


def _system_name() -> str:
    return {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
