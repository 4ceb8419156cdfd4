"""Landlock, by which a Linux process gives up file access for good without being root: three system calls.

Constants are those of the kernel's `include/uapi/linux/landlock.h`; the numbers of the calls are the same on every
processor.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

from advisor.files import is_folder

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_TSYNC_FLAG = 1 << 3
_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
_BIND_AND_CONNECT_TCP = 3
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2

WRITE = _WRITE_FILE | _TRUNCATE
"""To write into files that are there."""
CREATE = WRITE | _MAKE_AND_REMOVE | _REFER
"""To make, change and remove files."""
READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | WRITE | _READ_FILE


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # packed layouts are no others, and Python 3.14 wants it said
    _fields_ = [("access", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """Landlock's version in this kernel. Raises OSError where there is none, as before Linux 5.13 or switched off."""
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)


def restrict(places: Mapping[Path, int], *, reading: bool, abstract_sockets: bool) -> int:
    """Allow only what `places` allow beneath them, from now on and in every process started from here.

    Writing is always restricted, reading only if asked for; connections by TCP and signals to other programs end
    where the kernel can forbid them. Threads that run already are caught from version 8 on (Linux 7.0). Returns the
    version. Raises OSError.
    """
    version = abi()
    handled = _handled(version, reading)
    scoped = 0 if version < 6 else _SCOPE_SIGNALS | (0 if abstract_sockets else _SCOPE_ABSTRACT_SOCKETS)
    wanted = _Ruleset(handled, 0 if version < 4 else _BIND_AND_CONNECT_TCP, scoped)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), 0)
    try:
        for path, access in places.items():
            _allow(ruleset, path, access & handled)
        no_new_privileges()
        _call(_RESTRICT_SELF, ruleset, _TSYNC_FLAG if version >= 8 else 0)
    finally:
        os.close(ruleset)
    return version


def no_new_privileges() -> None:
    """Let no program started from here gain rights; the kernel asks for it before it lets a process restrict itself."""
    if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _handled(version: int, reading: bool) -> int:
    handled = _WRITE_FILE | _MAKE_AND_REMOVE | (READ if reading else 0)
    if version >= 2:
        handled |= _REFER
    return handled | (_TRUNCATE if version >= 3 else 0)


def _allow(ruleset: int, path: Path, access: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(access if is_folder(path) else access & _ON_FILES, parent)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


def _call(number: int, *arguments: object) -> int:
    result = int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
