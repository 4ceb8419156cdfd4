"""The table of picks or of excluded models, with as many columns as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable

from advisor.domain.presentation import language_marks
from advisor.domain.recommend import Candidate, Rejection
from advisor.domain.wording import VERDICT_MARKS, speed_text
from advisor.units import GIB

Cells = Sequence[str]

CELL_PADDING = 2
"""Columns of padding that a DataTable puts around a cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and when it is shown."""

    title: str
    priority: int
    """Columns with high numbers go first where there is no room."""
    is_number: bool = False
    is_elastic: bool = False
    """Takes the room that the others leave; longer text ends in an ellipsis."""


PICK_COLUMNS = (
    Column("#", 0, True),
    Column("Model", 0),
    Column("Quant", 1),
    Column("GiB", 3, True),
    Column("tok/s", 2, True),
    Column("Licence", 4),
    Column("Languages", 7),
    Column("Quality", 6, True),
    Column("Score", 5, True),
)
REJECTION_COLUMNS = (Column("Model", 0), Column("Quant", 2), Column("Excluded because", 1, is_elastic=True))

SORTS: tuple[tuple[str, Callable[[Candidate], tuple[float | str, str]] | None], ...] = (
    ("score", None),
    ("speed", lambda c: (-(c.speed.decode_tokens_per_s if c.speed else 0.0), c.id)),
    ("memory", lambda c: (c.fit.footprint.total_bytes, c.id)),
    ("quality", lambda c: (-c.rating.score, c.id)),
    ("name", lambda c: (c.model.name.casefold(), c.id)),
)
"""What the rows can be ordered by, with the best first; None for the order of the recommendation."""


def pick_cells(rank: int, candidate: Candidate) -> Cells:
    """The cells of a candidate, in the order of PICK_COLUMNS."""
    return (
        str(rank),
        candidate.model.name,
        candidate.quantization.name,
        f"{candidate.fit.footprint.total_bytes / GIB:.1f}",
        speed_text(candidate.speed).removesuffix(" tok/s"),
        VERDICT_MARKS[candidate.licence.verdict.value],
        language_marks(candidate.languages),
        f"{candidate.rating.score:.2f}",
        f"{candidate.score.total:.3f}",
    )


def rejection_cells(rejection: Rejection) -> Cells:
    """The cells of an excluded model, in the order of REJECTION_COLUMNS."""
    return (rejection.model.name, rejection.quantization or "any", "; ".join(r.text for r in rejection.reasons))


def fitting(columns: Sequence[Column], rows: Sequence[Cells], width: int) -> dict[int, int]:
    """Index and width of each column that fits, those of lowest priority left out; the most important ones stay."""
    kept: dict[int, int] = {}
    for i in sorted(range(len(columns)), key=lambda i: columns[i].priority):
        room = width - sum(kept.values()) - CELL_PADDING * (len(kept) + 1)
        wanted = max([len(columns[i].title), *(len(row[i]) for row in rows)])
        if columns[i].is_elastic:
            wanted = min(wanted, max(room, len(columns[i].title)))
        if columns[i].priority > 0 and wanted > room:
            break
        kept[i] = wanted
    return dict(sorted(kept.items()))


class Ranking(DataTable[Text]):
    """Rows are known by the id of their model."""

    HELP = "The table: up and down select a row, which is explained beside it; Enter opens the explanation."

    class Resized(Message):
        """The room changed, so other columns may fit."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def show(self, columns: Sequence[Column], rows: Sequence[tuple[str, Cells]], selected: str | None) -> None:
        """Replace all rows and put the cursor on the selected one, or on the first."""
        shown = fitting(columns, [cells for _, cells in rows], self.scrollable_content_region.width)
        with self.prevent(DataTable.RowHighlighted):
            self.clear(columns=True)
            for i, width in shown.items():
                self.add_column(_cell(columns[i].title, columns[i], width), width=width)
            for key, cells in rows:
                self.add_row(*(_cell(cells[i], columns[i], width) for i, width in shown.items()), key=key)
            index = next((i for i, (key, _) in enumerate(rows) if key == selected), 0)
            self.move_cursor(row=index, animate=False)

    @property
    def selected_key(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(Coordinate(self.cursor_row, 0)).row_key.value


def _cell(text: str, column: Column, width: int) -> Text:
    if column.is_number:
        text = text.rjust(width)
    return Text(text if len(text) <= width else f"{text[: width - 1]}…", no_wrap=True)
