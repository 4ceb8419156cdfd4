"""The one place that reads TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from advisor.errors import InputError


def load_toml(path: Path) -> dict[str, Any]:
    """The document in a file. Raises InputError naming the file, and the line where it is broken."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text", why=f"byte {error.start} is not valid") from error
    return parse_toml(text, name=str(path))


def parse_toml(text: str, *, name: str) -> dict[str, Any]:
    """The document in a string; `name` stands for it in errors. Raises InputError."""
    try:
        return tomli.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an integer of thousands of digits
        raise InputError(f"{name} is not valid TOML", why=str(error) or "nested too deeply") from error
