"""Foreign text made harmless for a terminal."""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\n\t")


def printable(text: str) -> str:
    """The text with control characters and direction overrides shown as escapes instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or not _is_control(c) else _escape(c) for c in text)


def _is_control(character: str) -> bool:
    """Control (Cc) and format (Cf) characters, surrogates (Cs): they move the cursor or reorder text."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def one_line(text: str) -> str:
    """Printable text without line breaks and tabs, for a table cell."""
    return " ".join(printable(text).split())
