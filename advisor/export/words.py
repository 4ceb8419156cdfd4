"""The comments of a recommendation file: sizes for people, and what the fixed words mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.domain.basis import Basis
from advisor.domain.licence import Verdict
from advisor.units import format_bytes

BASIS_WORDS: Mapping[str, str] = {
    Basis.ENGINE: "llama.cpp itself reported it, in a load without weights",
    Basis.MEASURED: "timed on this machine",
    Basis.CALIBRATED: "estimated, then scaled by a measurement on this machine",
    Basis.ESTIMATED: "a formula over published figures; nothing was run",
    Basis.PUBLISHED: "stated by named sources",
}
VERDICT_WORDS: Mapping[str, str] = {
    Verdict.ALLOWED: "the licence allows this use and asks for no act",
    Verdict.ALLOWED_WITH_OBLIGATIONS: "the licence allows this use if every obligation below is met",
    Verdict.NEEDS_SEPARATE_LICENCE: "this use needs an agreement with the licensor first",
    Verdict.FORBIDDEN: "the licence forbids this use",
    Verdict.UNKNOWN: "nobody established what the licence says on this use",
}
_SIZE_KEYS = frozenset({"reserve_ram", "reserve_vram"})
_FIXED_WORDS: Mapping[str, Mapping[str, str]] = {"basis": BASIS_WORDS, "verdict": VERDICT_WORDS}


def comment_for(key: str, value: Any, description: str | None) -> str | None:
    """What a reader would ask about a value: its size, the meaning of its word, or the field's description."""
    size = _size(key, value)
    if size is not None:
        return f"{size}; {description}" if description else size
    if isinstance(value, str) and key in _FIXED_WORDS:
        return _FIXED_WORDS[key].get(value, description)
    return description


def _size(key: str, value: Any) -> str | None:
    if not (key.endswith("_bytes") or key in _SIZE_KEYS):
        return None
    n_bytes = value.get("value") if isinstance(value, Mapping) else value
    return format_bytes(n_bytes) if isinstance(n_bytes, int) and n_bytes else None
