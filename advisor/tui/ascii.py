"""ASCII mode: what is drawn is rewritten line by line, so that no widget needs two versions of itself."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_MARKS = {
    "✓": "+", "✗": "x", "•": "*", "·": "-", "…": ".", "→": ">", "←": "<", "↑": "^", "↓": "v",
    "◂": "<", "▸": ">", "▴": "^", "▾": "v", "▲": "^", "▶": ">", "▼": "v",
    "●": "o", "○": ".", "◆": "o", "■": "#", "□": ".",
    "–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x", "±": "~", "≈": "~",
    "≤": "<", "≥": ">", "≠": "!", "°": "o", "\N{NO-BREAK SPACE}": " ", "√": "+", "∞": "*",
}  # fmt: skip
_BLOCKS = {
    # Levels of a sparkline, from the lowest, then fillings of a bar, from the fullest.
    "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
    "▓": "%", "▒": "=", "░": ".",
    "▌": "#", "▐": "#", "▀": "#", "▔": "-", "▏": "|", "▎": "|", "▍": "|", "▋": "#", "▊": "#", "▉": "#", "▕": "|",
}  # fmt: skip


@lru_cache(maxsize=4096)
def ascii_of(character: str) -> str:
    """ASCII characters as wide as the one given; `?` stands for what has no likeness."""
    if character.isascii():
        return character
    known = _MARKS.get(character) or _BLOCKS.get(character) or _frame(character)
    if known is not None:
        return known
    width = cell_len(character)
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return plain[:width].ljust(width, "?") if plain else "?" * width


def _frame(character: str) -> str | None:
    """Lines of frames; their corners and crossings are all alike."""
    code = ord(character)
    if not 0x2500 <= code <= 0x257F:
        # Braille, which plots are drawn with: any dot is a dot.
        return None if not 0x2800 <= code <= 0x28FF else " " if code == 0x2800 else "*"
    name = unicodedata.name(character)
    if "DIAGONAL" in name:
        return "/"
    is_flat, is_upright = ("HORIZONTAL" in name or "LEFT" in name), ("VERTICAL" in name or "UP" in name)
    if name.startswith("BOX DRAWINGS") and "AND" in name and not name.endswith("DASH HORIZONTAL"):
        return "+"
    return "-" if is_flat or "RIGHT" in name else "|" if is_upright or "DOWN" in name else "+"


def ascii_text(text: str) -> str:
    """A text in ASCII, as wide as it was."""
    return text if text.isascii() else "".join(map(ascii_of, text))


class AsciiFilter(LineFilter):
    """Rewrites every line before it is drawn: text, marks, bars, borders and scroll bars."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(ascii_text(text), style, control) for text, style, control in segments]
