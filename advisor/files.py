"""Reading files that anybody may have written, and writing so that a reader sees the old content or the new."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from advisor.errors import InputError
from advisor.units import MIB, format_bytes


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The content of a file that nobody vouches for.

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
        raise InputError(f"{path} cannot be read", why=getattr(error, "strerror", None) or str(error)) from error
    if left <= 0:
        raise InputError(f"{path} is too long", why=f"it has more than {format_bytes(most_bytes)}")
    return b"".join(chunks)


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
