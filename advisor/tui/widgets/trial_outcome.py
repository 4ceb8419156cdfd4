"""What a trial showed, in the words and tables of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from advisor.domain.trial.outcome import Trial
from advisor.domain.trial.report import Report
from advisor.domain.trial.words import (
    ANSWER_COLUMNS,
    STANDING_COLUMNS,
    disagreement_rows,
    duel_lines,
    standing_rows,
    tag_rows,
)
from advisor.text import one_line

_CELLS_EACH = 13
"""Cells that a column needs so that its words do not break."""
_MOST_ANSWERS = 5
"""Tasks whose answers are shown side by side, as the command line has it."""

Rows = Sequence[tuple[str, ...]]


class TrialOutcome(VerticalScroll, can_focus=True):
    """Tables where there is room for their columns, lines one under the other where not."""

    HELP = "What the trial showed: arrows, Page up and Page down scroll it."

    _shown: tuple[Trial, Report] | None = None

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, trial: Trial, report: Report) -> None:
        """Replace the text."""
        self._shown = trial, report
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._shown is not None:
            width = self.scrollable_content_region.width
            self.query_one(Static).update(Group(*_parts(*self._shown, width)))


def _parts(trial: Trial, found: Report, width: int) -> list[RenderableType]:
    tags = tag_rows(found)
    answers = disagreement_rows(trial, found, _MOST_ANSWERS)
    parts = [_table(STANDING_COLUMNS, standing_rows(found), width)]
    if tags:
        parts += ["", _table(("tag", *(s.name for s in found.standings)), tags, width)]
    if answers:
        parts += ["", _table(ANSWER_COLUMNS, answers, width)]
    lines = [*duel_lines(found.duels), *(f"! {note}" for note in trial.notes)]
    return [*parts, "", *(Text(_flat(line)) for line in lines)]


def _table(columns: Sequence[str], rows: Rows, width: int) -> RenderableType:
    if width < _CELLS_EACH * len(columns):
        lines = []
        for first, *others in rows:
            lines.append(Text(one_line(first), "bold"))
            named = zip(columns[1:], others, strict=True)
            lines += [Text(f"  {one_line(name)}: {one_line(cell)}") for name, cell in named if cell]
        return Group(*lines)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for name in columns:
        table.add_column(Text(one_line(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table


def _flat(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" "))) + one_line(line)
