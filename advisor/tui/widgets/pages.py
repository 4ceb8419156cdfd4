"""A long text of which only what is on screen is drawn: a file of a thousand lines opens as fast as one of ten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

Row = tuple[int, int, int]
"""Index of a line, and which of its characters stand in one row."""


class Pages(ScrollView, can_focus=True):
    """Lines that are longer than the screen is wide go on in the next row."""

    HELP = "The file as it would be written: arrows, Page up and Page down scroll it."

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self._lines: Sequence[Content] = ()
        self._rows: list[Row] = []

    def show(self, lines: Sequence[Content]) -> None:
        """Replace the text and return to its top."""
        self._lines = lines
        self._lay_out()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._rows = [
            (i, start, end)
            for i, line in enumerate(self._lines)
            for start, end in pieces(line.plain, width)
        ]  # fmt: skip
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        i, start, end = self._rows[index]
        strips = Visual.to_strips(self, self._lines[i][start:end], width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(width, self.rich_style)


def pieces(line: str, width: int) -> Iterator[tuple[int, int]]:
    """Where a line is cut so that no piece is wider than `width` cells: after a space in its last third, else anywhere.

    An empty line is one empty piece.
    """
    start = 0
    while width > 0 and cell_len(line[start:]) > width:
        kept = chop_cells(line[start : start + width], width)[0]
        space = kept.rfind(" ", 2 * len(kept) // 3)
        end = start + (space + 1 if space >= 0 else len(kept))
        yield start, end
        start = end
    yield start, len(line)
