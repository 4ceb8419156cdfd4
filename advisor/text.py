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
    # Nearly all are printable, which none of these are, and which is told much sooner than a category.
    return not character.isprintable() and unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def harmless_json(text: str) -> str:
    """JSON that means the same, with what `printable` escapes, and what UTF-8 cannot carry, as JSON's own escapes.

    `json.dumps(ensure_ascii=False)` leaves C1 controls, which some terminals obey, and direction overrides as they are.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c in _KEPT or not _is_control(c) else _json_escape(c) for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def one_line(text: str) -> str:
    """Printable text without line breaks and tabs, for a table cell."""
    return " ".join(printable(text).split())
