"""Temporary directories that do not outlive the program, whatever ends it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from advisor.errors import InputError

_PREFIX = "llm-advisor-"
_MEMORY = Path("/dev/shm")
_OWNED = re.compile(rf"{_PREFIX}(?P<pid>\d+)-\w+")
_OWNER = ".owner"
"""A file in a directory whose lock its process holds. It ends with the process, and containers that share a disk see
it, to which the process's number says nothing."""
_LEFT_AFTER_S = 60.0
"""A younger directory without such a file may be one that is being made."""


@contextmanager
def scratch_dir(root: Path | None = None) -> Iterator[Path]:
    """A private directory that is gone afterwards; `root` defaults to the system's temporary directory.

    Directories that ended processes left behind are removed first. Raises InputError where none can be made.
    """
    parent = Path(tempfile.gettempdir()) if root is None else root
    remove_leftovers(parent)
    try:
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{parent} takes no temporary files", why=why, hint="Set TMPDIR.") from error
    owner = _own(path)
    try:
        yield path
    finally:
        if owner is not None:
            os.close(owner)
        shutil.rmtree(path, ignore_errors=True)


def _own(path: Path) -> int | None:
    """Lock the directory: a descriptor that holds the lock until it is closed.

    None on Windows and where the disk is full; some file systems give a descriptor no lock.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = None
    with suppress(OSError):
        # Nobody sees it by its name before it is locked.
        unlocked = path / f"{_OWNER}.new"
        descriptor = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(path / _OWNER)
    return descriptor


def header_root() -> Path | None:
    """Where a file that is a header and nothing else is made and removed quickest: in memory, where the system has such
    a place and the user named no other."""
    is_chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return None if is_chosen or not os.access(_MEMORY, os.W_OK | os.X_OK) else _MEMORY


def remove_leftovers(parent: Path) -> None:
    """Remove this user's scratch directories whose process has ended; others are left alone."""
    try:
        entries = list(os.scandir(parent))
    except OSError:
        return  # whoever wants to write there gets the error
    for entry in entries:
        match = _OWNED.fullmatch(entry.name) if entry.name.startswith(_PREFIX) else None
        if match and _is_ours(entry) and _is_left(entry, int(match["pid"])):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_left(entry: os.DirEntry[str], pid: int) -> bool:
    """Whether a directory's process has ended: by its lock, or where it could take none by its number and time."""
    if sys.platform != "win32":
        import fcntl

        try:
            # For writing, since a network's file system gives no exclusive lock without.
            descriptor = os.open(os.path.join(entry.path, _OWNER), os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        else:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            finally:
                os.close(descriptor)
            return True
    return _is_old(entry) and not _is_running(pid)


def _is_old(entry: os.DirEntry[str]) -> bool:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime >= _LEFT_AFTER_S
    except OSError:
        return False  # another process removed it meanwhile


def _is_running(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False  # another process removed it meanwhile
    is_mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and is_mine
