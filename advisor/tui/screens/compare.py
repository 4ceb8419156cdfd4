"""Marked models side by side: the bottom line first, then every line of the head-to-head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from advisor.domain.head_to_head import HeadToHead, Subject
from advisor.domain.head_to_head.layout import LEGEND, Table, sources_of, tables_of
from advisor.errors import AdvisorError
from advisor.text import one_line

_CELLS_EACH = 19
"""Cells that a column needs so that its words do not break."""


class CompareScreen(ModalScreen[None]):
    """Columns where each has room, lines one under the other where not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c,q", "dismiss", "Close"),
        Binding("down", "scroll('scroll_down')", show=False),
        Binding("up", "scroll('scroll_up')", show=False),
    ]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._outcome: HeadToHead | AdvisorError | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="compare"):
            yield Static(markup=False, id="compare-text")
        yield Static("Esc closes · arrows, page keys scroll", id="compare-keys", markup=False)

    def on_mount(self) -> None:
        self._draw()
        self.query_one("#compare").focus()

    def on_resize(self) -> None:
        self._draw()

    def show(self, outcome: HeadToHead | AdvisorError) -> None:
        """Show what came out."""
        self._outcome = outcome
        self._draw()

    def on_click(self, event: object) -> None:
        if self.app.mouse_over is self.query_one("#compare-keys"):
            self.dismiss()

    def _draw(self) -> None:
        self.query_one("#compare-text", Static).update(self._text())

    def _text(self) -> RenderableType:
        names = Text(" against ".join(map(one_line, self._names)), "bold")
        if self._outcome is None:
            return Group(names, Text("putting them side by side …"))
        if isinstance(self._outcome, AdvisorError):
            return Group(names, Text(f"✗ {self._outcome}"), Text("Esc leads back to the picks."))
        return Group(names, *_parts(self._outcome, self.query_one("#compare").scrollable_content_region.width))


def _parts(found: HeadToHead, width: int) -> list[RenderableType]:
    parts: list[RenderableType] = [_title("Bottom line"), *(_line(f"• {text}") for text in found.bottom_line)]
    has_room = width >= _CELLS_EACH * (len(found.subjects) + 2)
    labels = [_label(subject) for subject in found.subjects]
    for table in tables_of(found):
        named = replace(table, columns=("", *labels, table.columns[-1]))
        parts += [_title(table.title), _columns(named) if has_room else _stack(named)]
        parts += [_line(f"  {note}") for note in table.notes]
    sources = [_line(f"[{i}] {source}") for i, source in enumerate(sources_of(found), start=1)]
    return [*parts, _title("Legend"), _line(LEGEND), _title("Sources"), *sources]


def _label(subject: Subject) -> str:
    """Words that break where people read a gap."""
    return f"{subject.model.name} {subject.placed.quantization.name}" if subject.placed else subject.model.name


def _title(text: str) -> Text:
    return Text(f"\n{text}", "bold underline")


def _line(text: str) -> Text:
    return Text(one_line(text) if not text.startswith("  ") else f"  {one_line(text)}")


def _columns(table: Table) -> RichTable:
    drawn = RichTable(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False)
    for column in table.columns:
        drawn.add_column(Text(one_line(column)), ratio=1, overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(one_line(cell)) for cell in row))
    return drawn


def _stack(table: Table) -> Group:
    """Each line as its title and one row for each model."""
    lines: list[Text] = []
    for title, *figures, edge in table.rows:
        lines.append(Text(one_line(title), "bold"))
        lines += [_line(f"  {name}: {cell}") for name, cell in zip(table.columns[1:-1], figures, strict=True)]
        lines += [_line(f"  {edge}")] if edge else []
    return Group(*lines)
