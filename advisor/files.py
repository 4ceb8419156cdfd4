"""Reading files that anybody may have written, and writing so that a reader sees the old content or the new."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from advisor.errors import InputError
from advisor.units import MIB, format_bytes


def read_bounded(path: Path, most_bytes: int, *, hint: str | None = None) -> bytes:
    """The content of a file that nobody vouches for; `hint` says how to come by one that cannot be read.

    Raises InputError when it cannot be read or is longer, which a pipe or a device shows only while it is read.
    """
    chunks: list[bytes] = []
    left = most_bytes + 1
    try:
        with path.open("rb") as stream:
            # Asked for all at once, Python would set the whole bound aside for a file of any length.
            while left > 0 and (chunk := stream.read(min(left, MIB))):
                chunks.append(chunk)
                left -= len(chunk)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero character
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be read", why=why, hint=hint) from error
    if left <= 0:
        raise InputError(f"{path} is too long", why=f"it has more than {format_bytes(most_bytes)}")
    return b"".join(chunks)


def is_there(path: Path) -> bool:
    """Whether a path leads to something. Paths themselves raise before Python 3.14 beneath a folder that this user may
    not enter, such as another program's store; here that is not there, and whoever opens it gets the error."""
    return os.path.exists(path)


def is_file(path: Path) -> bool:
    """Whether a path leads to a regular file; not where it cannot be asked, as with `is_there`."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; not where it cannot be asked, as with `is_there`."""
    return os.path.isdir(path)


_TEMPORARY = re.compile(r"\..+\.(?P<pid>\d+)-\w+\.tmp")
_LEFT_AFTER_S = 60.0
"""A younger file may be that of a process whose number means nothing here, as on a disk shared by containers."""


def write_atomically(path: Path, text: str, *, overwrite: bool) -> None:
    """Write UTF-8 text beside its place and move it there.

    Raises InputError when the file exists and `overwrite` is false, or when it cannot be written.
    """
    check_place(path, overwrite=overwrite)
    # Most commands only read.
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{os.getpid()}-", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from error
    _remove_leftovers(path, Path(temporary))
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        _place(temporary, path, overwrite)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Raise InputError where a file may not be written: over a folder, and over a file unless `overwrite` is set."""
    if is_folder(path):
        raise InputError(f"{path} is a folder", hint="Name a file.")
    if not overwrite and is_there(path):
        raise _taken(path)


def write_all(folder: Path, texts: Mapping[str, str], *, overwrite: bool) -> list[Path]:
    """Write texts by name into a folder: all, or none where one is there already and `overwrite` is false.

    What was written before one cannot be is removed again, unless it replaced a file. Raises InputError like
    `write_atomically`.
    """
    taken = taken_of(folder, texts)
    if taken and not overwrite:
        raise _taken(taken[0])
    written: list[Path] = []
    try:
        for name, text in texts.items():
            write_atomically(folder / name, text, overwrite=overwrite)
            written.append(folder / name)
    except InputError:
        for path in written:
            if path not in taken:
                path.unlink(missing_ok=True)  # half of the files would run nothing
        raise
    return written


def taken_of(folder: Path, names: Iterable[str]) -> list[Path]:
    """Those of some files that are there already."""
    return [folder / name for name in names if is_there(folder / name)]


def _remove_leftovers(path: Path, ours: Path) -> None:
    """Remove what processes that were killed amid writing this file left beside it."""
    import glob

    import psutil

    with contextlib.suppress(OSError):  # tidying up is no reason to fail
        now = ours.stat().st_mtime  # by the clock of the disk, which need not be this machine's
        for found in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            match = _TEMPORARY.fullmatch(found.name)
            if match is None or found == ours or psutil.pid_exists(int(match["pid"])):
                continue
            if abs(now - found.stat().st_mtime) >= _LEFT_AFTER_S:
                found.unlink()


def _place(temporary: str, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        # A hard link fails where the name was taken meanwhile; a rename would silently replace it.
        os.link(temporary, path)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError:
        os.rename(temporary, path)  # a file system without hard links


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _taken(path: Path) -> InputError:
    return InputError(f"{path} exists", hint="Choose another place with -o or overwrite it with --force.")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written", why=error.strerror or str(error), hint="Choose another place with -o."
    )
