"""A smoke test written into the recommendation that it tested, whose other lines stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit

from advisor.export.toml_text import toml_table


def with_smoke(text: str, smoke: Mapping[str, Any]) -> str:
    """The recommendation's text with this test in the place of an earlier one. The text must be sound TOML."""
    document = tomlkit.parse(text)
    document.pop("smoke", None)
    document.add("smoke", toml_table(smoke, None, None))
    return tomlkit.dumps(document)
