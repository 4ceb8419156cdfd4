"""The one place that reads TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from advisor.errors import InputError
from advisor.files import read_bounded
from advisor.units import MIB

MAX_BYTES = 2 * MIB
"""A parsed table takes a hundred times its space in the file; the longest files of ours have 50 kB."""


def load_toml(path: Path) -> dict[str, Any]:
    """The document in a file. Raises InputError naming the file, and the line where it is broken."""
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text", why=f"byte {error.start} is not valid") from error
    return parse_toml(text, name=str(path))


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """The document in a string; `name` stands for it in errors. Raises InputError."""
    try:
        return tomli.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an integer of thousands of digits
        raise InputError(f"{name} is not valid TOML", why=str(error) or "nested too deeply") from error
