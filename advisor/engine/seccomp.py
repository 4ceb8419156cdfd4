"""A seccomp filter, by which a Linux process gives up system calls for good without being root.

Constants are those of the kernel's `include/uapi/linux/{seccomp,filter,audit}.h` and of each processor's table of
calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from dataclasses import dataclass, field

from advisor.engine.landlock import no_new_privileges

_SET_MODE_FILTER = 1
_TSYNC = 1
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_AF_UNIX = 1
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True)
class _Calls:
    """The numbers of one processor."""

    arch: int
    seccomp: int
    socket: int
    clone: int
    starting: tuple[int, ...]
    """fork, vfork, execve and execveat."""
    clone3: int = 435
    io_uring_setup: int = 425


_PROCESSORS = {
    "x86_64": _Calls(0xC000003E, seccomp=317, socket=41, clone=56, starting=(57, 58, 59, 322)),
    "aarch64": _Calls(0xC00000B7, seccomp=277, socket=198, clone=220, starting=(221, 281)),
}


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


@dataclass(slots=True)
class _Writer:
    instructions: list[tuple[int, int, int, int]] = field(default_factory=list)

    def add(self, code: int, k: int, yes: int = 0, no: int = 0) -> None:
        self.instructions.append((code, yes, no, k))

    def refuse(self, number: int, error: int) -> None:
        """The number of the call is loaded; it stays so."""
        self.add(_EQUAL, number, 0, 1)
        self.add(_RETURN, _ERRNO | error)


def deny(*, local_sockets: bool, programs: bool) -> None:
    """Refuse sockets, and what could make them otherwise, in all threads, from now on and in every process started.

    `local_sockets` keeps those between programs of this machine; without `programs` no process can be started either.
    Raises OSError where the kernel or the processor has no such filter.
    """
    calls = _PROCESSORS.get(platform.machine())
    if calls is None:
        raise OSError(errno.ENOSYS, f"no filter for {platform.machine() or 'this processor'}")
    rows = _program(calls, local_sockets, programs)
    array = (_Instruction * len(rows))(*[_Instruction(*row) for row in rows])
    no_new_privileges()
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(calls.seccomp, _SET_MODE_FILTER, _TSYNC, ctypes.byref(_Program(len(rows), array))))
    if result != 0:
        number = ctypes.get_errno() if result < 0 else errno.EBUSY  # a thread of its own has another filter
        raise OSError(number, os.strerror(number))


def _program(calls: _Calls, local_sockets: bool, programs: bool) -> list[tuple[int, int, int, int]]:
    write = _Writer()
    write.add(_LOAD, _ARCH_AT)
    write.add(_EQUAL, calls.arch, 1, 0)
    write.add(_RETURN, _ERRNO | errno.EPERM)  # calls in the table of another processor, as of 32-bit code
    write.add(_LOAD, _NUMBER_AT)
    if calls.arch == _PROCESSORS["x86_64"].arch:
        write.add(_AT_LEAST, _X32_BIT, 0, 1)
        write.add(_RETURN, _ERRNO | errno.EPERM)
    # It could open sockets out of the filter's sight.
    write.refuse(calls.io_uring_setup, errno.EPERM)
    if not programs:
        for number in calls.starting:
            write.refuse(number, errno.EPERM)
        # Its flags lie in memory, which a filter cannot read; without it the library takes clone.
        write.refuse(calls.clone3, errno.ENOSYS)
        _allow_threads(write, calls)
    write.add(_EQUAL, calls.socket, 0, 3 if local_sockets else 1)
    if local_sockets:
        write.add(_LOAD, _FIRST_ARGUMENT_AT)
        write.add(_EQUAL, _AF_UNIX, 1, 0)
    write.add(_RETURN, _ERRNO | errno.EACCES)
    write.add(_RETURN, _ALLOW)
    return write.instructions


def _allow_threads(write: _Writer, calls: _Calls) -> None:
    write.add(_EQUAL, calls.clone, 0, 4)
    write.add(_LOAD, _FIRST_ARGUMENT_AT)
    write.add(_ANY_BIT, _CLONE_THREAD, 0, 1)
    write.add(_RETURN, _ALLOW)
    write.add(_RETURN, _ERRNO | errno.EPERM)
