"""What is drawn moves no cursor: model names, answers of models and messages of engines are foreign text."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that only join letters and emoji; without them words change."""


HELD_SPACE = "\u2800"
"""A space that no line is broken at. Textual and Rich break at a no-break space as at any other, so until it is drawn
an empty braille cell stands there, which looks the same."""


def harmless_text(text: str) -> str:
    """A text as wide as it was, without control characters and direction overrides."""
    return text if _is_harmless(text) else "".join(map(_harmless, text))


def _is_harmless(text: str) -> bool:
    return text.isprintable() and HELD_SPACE not in text


def _harmless(character: str) -> str:
    if character == HELD_SPACE:
        return " "
    if character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs"):
        return character
    return "?" * cell_len(character) if not character.isspace() else " " * cell_len(character)


class HarmlessFilter(LineFilter):
    """Stands behind every widget, so that none has to remember to clean what it shows."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(_is_harmless(segment.text) for segment in segments):
            return segments
        return [Segment(harmless_text(text), style, control) for text, style, control in segments]
