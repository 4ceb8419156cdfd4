"""Writing files so that a reader sees the old content or the new, never a half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from advisor.errors import InputError


def write_atomically(path: Path, text: str, *, overwrite: bool) -> None:
    """Write UTF-8 text beside its place and move it there.

    Raises InputError when the file exists and `overwrite` is false, or when it cannot be written.
    """
    if not overwrite and path.exists():
        raise InputError(f"{path} exists", hint="Choose another name or overwrite it with --force.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from error
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


def write_all(folder: Path, texts: Mapping[str, str], *, overwrite: bool) -> list[Path]:
    """Write texts by name into a folder; where one is there already and `overwrite` is false, none of them.

    Raises InputError like `write_atomically`.
    """
    taken = taken_of(folder, texts)
    if taken and not overwrite:
        raise InputError(f"{taken[0]} exists", hint="Choose another place with -o or overwrite it with --force.")
    for name, text in texts.items():
        write_atomically(folder / name, text, overwrite=overwrite)
    return [folder / name for name in texts]


def taken_of(folder: Path, names: Iterable[str]) -> list[Path]:
    """Those of some files that are there already."""
    return [folder / name for name in names if (folder / name).exists()]


def _place(temporary: str, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        # A hard link fails where the name was taken meanwhile; a rename would silently replace it.
        os.link(temporary, path)
    except FileExistsError as error:
        raise InputError(f"{path} exists", hint="Choose another name or overwrite it with --force.") from error
    except OSError:
        os.rename(temporary, path)  # a file system without hard links


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written", why=error.strerror or str(error), hint="Choose another place with -o."
    )
