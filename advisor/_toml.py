"""The one place that reads TOML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomli

from advisor.errors import InputError
from advisor.files import read_bounded
from advisor.units import MIB

MAX_BYTES = MIB
"""A table takes over a hundred times its space in the file once it is parsed; our longest files have 50 kB."""
MAX_KEY_PARTS = 16
"""Of a dotted key. tomli notes each beginning of a key, so its memory grows with their square."""

MAX_TABLES = 4096
"""Of one name, as in `[[gpu]]`; each may break a schema in twenty places, which are all noted."""

_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
_LONG_KEY = re.compile(rf"""(?<![\w"'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}""")


def load_toml(path: Path, *, hint: str | None = None) -> dict[str, Any]:
    """The document in a file. Raises InputError as `toml_text` does, and naming the line where it is broken."""
    return parse_toml(toml_text(path, hint=hint), name=str(path))


def toml_text(path: Path, *, hint: str | None = None) -> str:
    """The text of a file. Raises InputError naming it, with the hint where it cannot be read."""
    return _decoded(read_bounded(path, MAX_BYTES, hint=hint), str(path))


def decode_toml(content: bytes, *, name: str) -> dict[str, Any]:
    """The document in the bytes of a file; `name` stands for it in errors. Raises InputError."""
    return parse_toml(_decoded(content, name), name=name)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text", why=f"byte {error.start} is not valid") from error


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """The document in a string; `name` stands for it in errors. Raises InputError."""
    long_key = _long_key(text)
    if long_key is not None:
        line = text.count("\n", 0, long_key.start()) + 1
        why = f"a key on line {line} has more than {MAX_KEY_PARTS} parts"
        raise InputError(f"{name} is not read", why=why, hint="Write tables in [brackets].")
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an integer of thousands of digits
        raise InputError(f"{name} is not valid TOML", why=str(error) or "nested too deeply") from error
    for key, value in document.items():
        if isinstance(value, list) and len(value) > MAX_TABLES:
            raise InputError(f"{name} is not read", why=f"{key!r} has {len(value):,} entries, more than {MAX_TABLES:,}")
    return document


def _long_key(text: str) -> re.Match[str] | None:
    # Counting the dots of a line takes a tenth of the time of the search, and nearly no line has so many.
    if max([line.count(".") for line in text.split("\n")]) < MAX_KEY_PARTS:
        return None
    return _LONG_KEY.search(text)
