"""Temporary directories that do not outlive the program, whatever ends it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from advisor.errors import InputError

_PREFIX = "llm-advisor-"
_MEMORY = Path("/dev/shm")
_OWNED = re.compile(rf"{_PREFIX}(?P<pid>\d+)-\w+")


@contextmanager
def scratch_dir(root: Path | None = None) -> Iterator[Path]:
    """A private directory that is gone afterwards; `root` defaults to the system's temporary directory.

    Directories that dead processes left behind are removed first. Raises InputError where none can be made.
    """
    parent = Path(tempfile.gettempdir()) if root is None else root
    remove_leftovers(parent)
    try:
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{parent} takes no temporary files", why=why, hint="Set TMPDIR.") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def header_root() -> Path | None:
    """Where a file that is a header and nothing else is made and removed quickest: in memory, where the system has such
    a place and the user named no other."""
    is_chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return None if is_chosen or not os.access(_MEMORY, os.W_OK | os.X_OK) else _MEMORY


def remove_leftovers(parent: Path) -> None:
    """Remove this user's scratch directories whose process is dead; others are left alone."""
    try:
        entries = list(os.scandir(parent))
    except OSError:
        return  # whoever wants to write there gets the error
    for entry in entries:
        match = _OWNED.fullmatch(entry.name) if entry.name.startswith(_PREFIX) else None
        if match and not psutil.pid_exists(int(match["pid"])) and _is_ours(entry):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False  # another process removed it meanwhile
    is_mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and is_mine
