"""Names and values, one pair a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from advisor.tui.widgets.recoloured import Recoloured

UNKNOWN = "unknown"
_NARROW = 60


class FactSheet(VerticalScroll, Recoloured):
    """What is unknown and what needs attention carries a mark beside its colour."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"fact-sheet--attention"}
    COLOURS = frozenset(COMPONENT_CLASSES)

    _facts: Sequence[tuple[str, str]] = ()

    def compose(self) -> ComposeResult:
        yield Static()

    def show(self, facts: Sequence[tuple[str, str]]) -> None:
        """Replace the facts."""
        self._facts = facts
        self.query_one(Static).update(self._table())

    def on_resize(self) -> None:
        self.recolour()

    def recolour(self) -> None:
        self.show(self._facts)

    def _table(self) -> Table:
        attention = self.take_colours()["fact-sheet--attention"]
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=12 if self.size.width < _NARROW else 18)
        table.add_column(ratio=1)
        for title, value in self._facts:
            mark = "! " if title == "warning" else "? " if value.startswith(UNKNOWN) else ""
            table.add_row(Text(title, "dim"), Text(mark + value, attention if mark else ""))
        return table
