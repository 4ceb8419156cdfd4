"""The table of picks or of excluded models, with as many columns as fit and as many rows as a screen can keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.cache import LRUCache
from textual.coordinate import Coordinate
from textual.message import Message
from textual.strip import Strip
from textual.widgets import DataTable

from advisor.text import one_line
from advisor.tui.widgets.paragraphs import MARK_CLASSES, mark_styles
from advisor.tui.widgets.recoloured import Recoloured

Cells = Sequence[str]

CELL_PADDING = 2
"""Columns of padding that a DataTable puts around a cell."""
MOST_ROWS = 150
"""Rows shown at once: building ten thousand takes two seconds. The filter finds the others."""
ELLIPSIS = "…"
_DRAWN = 512
"""Lines that are kept as they were drawn."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and when it is shown."""

    title: str
    priority: int
    """Columns with high numbers go first where there is no room."""
    is_number: bool = False
    least: int | None = None
    """Cells to which it can shrink, where longer text ends in an ellipsis; None where it never does."""


def fitting(columns: Sequence[Column], rows: Sequence[Cells], width: int) -> dict[int, int]:
    """Index and width of each column that fits, those of lowest priority left out; the most important ones stay.

    What room is left goes to the elastic columns, up to what they want.
    """
    wanted = [max([cell_len(c.title), *(cell_len(row[i]) for row in rows)]) for i, c in enumerate(columns)]
    kept: dict[int, int] = {}
    for i in sorted(range(len(columns)), key=lambda i: columns[i].priority):
        least = wanted[i] if columns[i].least is None else min(wanted[i], columns[i].least or 0)
        if columns[i].priority > 0 and least > _room(kept, width) - CELL_PADDING:
            break
        kept[i] = least
    for i in sorted(kept, key=lambda i: -columns[i].priority):
        kept[i] += max(0, min(wanted[i] - kept[i], _room(kept, width)))
    return dict(sorted(kept.items()))


def _room(kept: dict[int, int], width: int) -> int:
    return width - sum(kept.values()) - CELL_PADDING * len(kept)


class Ranking(DataTable[Text], Recoloured):
    """Rows are known by the id of their model, columns by their title."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(MARK_CLASSES.values())
    COLOURS = frozenset(COMPONENT_CLASSES)

    HELP = "The table: up and down select a row, which is explained beside it; Enter opens the explanation."

    class Outdated(Message):
        """The width or the colours changed, so it is to be shown anew."""

    _room = -1
    """Cells across, for which the columns were chosen."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._shown: object = None
        """What `show` was given, to do nothing where it is given the same."""
        self._texts: list[tuple[Cells, tuple[int, ...]]] = []
        """Cells and their widths, of the head and then of each row."""
        self._mark_styles: tuple[Style, ...] = ()
        """With which the rows were made."""
        self._drawn: LRUCache[object, Strip] = LRUCache(_DRAWN)

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._room:
            self._room = width
            self.recolour()

    def recolour(self) -> None:
        self.post_message(self.Outdated())

    def show(
        self,
        columns: Sequence[Column],
        rows: Sequence[tuple[str, Cells]],
        selected: str | None,
        sorted_by: tuple[str, str] | None = None,
    ) -> None:
        """Replace all rows and put the cursor on the selected one, or on the first.

        `sorted_by` is the title of a column and the arrow that it gets; that column goes last where room is short.
        """
        rows = [(key, tuple(map(_flat, cells))) for key, cells in rows]
        marked = tuple(_sorted(column, *sorted_by) if sorted_by else column for column in columns)
        shown = fitting(marked, [cells for _, cells in rows], self.scrollable_content_region.width)
        styles = mark_styles(self.take_colours())
        index = next((i for i, (key, _) in enumerate(rows) if key == selected), 0)
        wanted = (marked, tuple(rows), shown, styles)
        if wanted != self._shown:
            self._shown = wanted
            self._replace(columns, marked, rows, shown, styles)
        with self.prevent(DataTable.RowHighlighted):
            self.move_cursor(row=index, animate=False)

    def _replace(
        self,
        columns: Sequence[Column],
        marked: Sequence[Column],
        rows: Sequence[tuple[str, Cells]],
        shown: Mapping[int, int],
        styles: Mapping[str, Style],
    ) -> None:
        def cell(text: str, column: Column, width: int) -> Text:
            made = _cell(text, column, width)
            for mark, style in styles.items():
                if mark in text:
                    made.highlight_words([mark], style)
            return made

        with self.prevent(DataTable.RowHighlighted):
            self.clear(columns=True)
            for i, width in shown.items():
                self.add_column(_cell(marked[i].title, marked[i], width), width=width, key=columns[i].title)
            for key, cells in rows:
                self.add_row(*(cell(cells[i], marked[i], width) for i, width in shown.items()), key=key)
        widths = tuple(shown.values())
        heads = tuple(marked[i].title for i in shown)
        self._mark_styles = tuple(styles.values())
        self._texts = [(heads, widths), *((tuple(cells[i] for i in shown), widths) for _, cells in rows)]

    def render_line(self, y: int) -> Strip:
        """A line as it was drawn before, where it says the same: the table forgets every line when its rows are
        replaced and at each step of the cursor, and drawing them anew is most of what a key costs."""
        row = y - 1 + self.scroll_offset.y if y else -1
        if row + 1 >= len(self._texts) or (self.mouse_hover and row == self.hover_row):
            return super().render_line(y)
        state = (self.size.width, self.scroll_offset.x, self.get_pseudo_class_state(), self.show_cursor)
        key = (self._texts[row + 1], self._mark_styles, row, row == self.cursor_row, state)
        strip = self._drawn.get(key)
        if strip is None:
            self._drawn[key] = strip = super().render_line(y)
        return strip

    def notify_style_update(self) -> None:
        self._drawn.clear()
        super().notify_style_update()

    @property
    def selected_key(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(Coordinate(self.cursor_row, 0)).row_key.value


def _flat(text: str) -> str:
    """Foreign text on one line, indented as it was."""
    return " " * (len(text) - len(text.lstrip(" "))) + one_line(text)


def _sorted(column: Column, title: str, arrow: str) -> Column:
    if column.title != title:
        return column
    return replace(column, title=f"{title}{arrow}", priority=min(1, column.priority))


def _cell(text: str, column: Column, width: int) -> Text:
    missing = width - cell_len(text)
    if missing < 0:
        return Text(set_cell_size(text, width - 1).rstrip() + ELLIPSIS, no_wrap=True)
    return Text(" " * missing + text if column.is_number else text, no_wrap=True)
