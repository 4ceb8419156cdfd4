"""The one place that reads long JSON documents that anybody may have written."""

from __future__ import annotations

import json
import re
from typing import Any

from advisor.errors import InputError
from advisor.units import MIB

MOST_BYTES_IN_MEMORY = 192 * MIB
_VALUE_BYTES = 100
"""An empty list or table in a list, in CPython."""
_FOUR_BYTES = re.compile(rb"[\xf0-\xf4]")
_TWO_BYTES = re.compile(rb"[\xc4-\xf3]")
_ESCAPED = re.compile(rb"\\u(?P<is_pair>[dD][89abAB])?")


def parse_json(content: bytes, *, name: str) -> Any:
    """The document; `name` stands for it in errors.

    Raises InputError where it is none, and before it is parsed where it could fill the memory: three bytes of a file
    can make a value of a hundred.
    """
    check_json_cost(content, name=name)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "it is no JSON"
        raise InputError(f"{name} cannot be read", why=why) from error


def check_json_cost(content: bytes, *, name: str) -> None:
    """Raise InputError where the values of a document could take more than `MOST_BYTES_IN_MEMORY`."""
    # A character takes the width of the widest in its text.
    width = 4 if _FOUR_BYTES.search(content) else 2 if _TWO_BYTES.search(content) else 1
    escaped = max((4 if match["is_pair"] else 2 for match in _ESCAPED.finditer(content)), default=1)
    n_values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if len(content) * (width + max(width, escaped)) + n_values * _VALUE_BYTES > MOST_BYTES_IN_MEMORY:
        why = (
            f"its {n_values:,} values in {len(content):,} bytes would take more than {MOST_BYTES_IN_MEMORY // MIB} MiB"
        )
        raise InputError(f"{name} is too long", why=why)
