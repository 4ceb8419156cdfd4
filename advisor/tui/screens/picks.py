"""Picks: what passes, best first, and what does not; the selected row explained."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.reactive import reactive
from textual.widgets import DataTable, Input, Static

from advisor.domain.presentation import Paragraph, explanation, nothing_passes, rejection_paragraphs, remaining_text
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place
from advisor.tui.widgets.paragraphs import Paragraphs
from advisor.tui.widgets.ranking import (
    PICK_COLUMNS,
    REJECTION_COLUMNS,
    SORTS,
    Ranking,
    pick_cells,
    rejection_cells,
)


class PicksScreen(Place):
    """Table left and explanation right, or one above the other in a narrow terminal."""

    place = "picks"
    BINDINGS = bindings_at("picks")
    AUTO_FOCUS = "Ranking"

    sort_index: reactive[int] = reactive(0, init=False)
    shows_excluded: reactive[bool] = reactive(False, init=False)
    filter_text: reactive[str] = reactive("", init=False)

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="picks-title")
        yield Input(placeholder="part of a name, file type, licence or reason", compact=True, id="filter")
        with Container(id="picks-body"):
            with Vertical(id="picks-left"):
                yield Ranking()
                yield Paragraphs(id="nothing")
            yield Paragraphs(id="why")

    # ------------------------------------------------------------ what is shown

    def show_topic(self, topic: Topic) -> None:
        if topic in ("machine", "advice"):
            self._show_rows()

    def _show_rows(self) -> None:
        found = self.session.found
        title = self.query_one("#picks-title", Static)
        if found is None or self.session.advice_error is not None:
            self._show_nothing(self._waiting())
            title.update("")
        elif not found.ranked and not self.shows_excluded:
            self._show_nothing(nothing_passes(found))
            title.update(f"{remaining_text(found)} · x shows all that are excluded")
        else:
            self._show_table(found)
            title.update(self._title(found))

    def _waiting(self) -> tuple[Paragraph, ...]:
        session = self.session
        if session.advice_error is not None:
            return (Paragraph("These answers cannot be used", (str(session.advice_error), "Change them in 2 Needs.")),)
        if session.probe_error is not None:
            return (Paragraph("There is no machine to advise for", (str(session.probe_error),)),)
        return (Paragraph("One moment", ("looking at this machine and weighing the models …",)),)

    def _show_nothing(self, paragraphs: tuple[Paragraph, ...]) -> None:
        self.set_class(True, "-nothing")
        self.query_one("#nothing", Paragraphs).show(paragraphs)

    def _show_table(self, found: Recommendation) -> None:
        self.set_class(False, "-nothing")
        table = self.query_one(Ranking)
        if self.shows_excluded:
            rejected = [(r.model.id, rejection_cells(r)) for r in found.rejected]
            rows = [row for row in rejected if self._matches(row[1])]
            table.show(REJECTION_COLUMNS, rows, table.selected_key)
        else:
            ranks = {c.id: i for i, c in enumerate(found.ranked, start=1)}
            order = SORTS[self.sort_index][1]
            ordered = found.ranked if order is None else sorted(found.ranked, key=order)
            picks = [(c.model.id, pick_cells(ranks[c.id], c)) for c in ordered]
            rows = [row for row in picks if self._matches(row[1])]
            chosen = self.session.chosen
            table.show(PICK_COLUMNS, rows, chosen.model.id if chosen else None)
        self._follow_cursor()

    def _matches(self, cells: Sequence[str]) -> bool:
        return self.filter_text.casefold() in " ".join(cells).casefold()

    def _title(self, found: Recommendation) -> str:
        filtered = f" · filter “{self.filter_text}”" if self.filter_text else ""
        if self.shows_excluded:
            return f"{len(found.rejected)} excluded, nearest miss first{filtered} · x shows the picks"
        return f"{remaining_text(found)} · by {SORTS[self.sort_index][0]}{filtered} · ~ means estimated"

    def _selected(self) -> Candidate | Rejection | None:
        found, key = self.session.found, self.query_one(Ranking).selected_key
        if found is None or key is None:
            return None
        rows: tuple[Candidate, ...] | tuple[Rejection, ...] = found.rejected if self.shows_excluded else found.ranked
        return next((row for row in rows if row.model.id == key), None)

    def _follow_cursor(self) -> None:
        """The row under the cursor is the choice, also where a filter moved the cursor."""
        selected = self._selected()
        if isinstance(selected, Candidate) and selected != self.session.chosen:
            self.session.chosen_model = selected.model.id
            self.changed.publish("chosen")
        self._explain()

    def _explain(self) -> None:
        selected, found = self._selected(), self.session.found
        panel = self.query_one("#why", Paragraphs)
        if selected is None or found is None:
            panel.show((Paragraph("No row matches", (f"Filter: {self.filter_text}", "Esc clears the filter.")),))
        elif isinstance(selected, Rejection):
            panel.show(rejection_paragraphs(selected))
        else:
            panel.show(explanation(selected, found, width=panel.scrollable_content_region.width))

    # ------------------------------------------------------------ the user

    def watch_sort_index(self) -> None:
        self._show_rows()

    def watch_shows_excluded(self) -> None:
        self._show_rows()

    def watch_filter_text(self) -> None:
        self._show_rows()

    @on(Ranking.Resized)
    def _room_changed(self) -> None:
        self._show_rows()

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        # An event that was under way while the rows were replaced names a row that the cursor has left.
        if event.row_key.value != self.query_one(Ranking).selected_key:
            return
        self._follow_cursor()

    @on(DataTable.RowSelected)
    def _opened(self) -> None:
        self.add_class("-reading")
        self.set_focus(self.query_one("#why", Paragraphs))

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self.filter_text = event.value.strip()

    @on(Input.Submitted, "#filter")
    def _filter_entered(self) -> None:
        self.set_focus(self.query_one(Ranking))

    def action_filter(self) -> None:
        """Ask for a word."""
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter", Input))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.sort_index = (self.sort_index + 1) % len(SORTS)

    def action_excluded(self) -> None:
        """Change between picks and excluded models."""
        self.shows_excluded = not self.shows_excluded
        if not self.has_class("-nothing"):
            self.set_focus(self.query_one(Ranking))

    def go_back(self) -> bool:
        if self.has_class("-reading"):
            self.remove_class("-reading")
            self.set_focus(self.query_one(Ranking))
        elif self.has_class("-filtering"):
            self.remove_class("-filtering")
            self.query_one("#filter", Input).clear()
            self.filter_text = ""
            self.set_focus(self.query_one(Ranking))
        elif self.shows_excluded:
            self.shows_excluded = False
        else:
            return False
        return True
