"""Picks: what passes, best first, and what does not; the selected row explained."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.reactive import reactive
from textual.widgets import Button, DataTable, Input, Static

from advisor.domain.carried_load_words import one_machine_ends
from advisor.domain.excluded_groups import ExcludedGroup, excluded_groups, excluded_lines, nearest_miss
from advisor.domain.head_to_head.compare import MOST
from advisor.domain.presentation import (
    Paragraph,
    exclusion_paragraphs,
    explanation,
    nothing_passes,
    rejection_paragraphs,
    remaining_text,
)
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.summary import MARKS_LEGEND
from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place
from advisor.tui.widgets.paragraphs import Paragraphs
from advisor.tui.widgets.pick_rows import (
    GROUP,
    PICK_COLUMNS,
    REJECTION_COLUMNS,
    SORTS,
    Rows,
    excluded_rows,
    pick_rows,
)
from advisor.tui.widgets.ranking import Ranking
from advisor.tui.widgets.sections import Sections


class PicksScreen(Place):
    """Table left and explanation right, or one above the other in a narrow terminal."""

    place = "picks"
    BINDINGS = bindings_at("picks")
    AUTO_FOCUS = "Ranking"

    sort_index: reactive[int] = reactive(0, init=False)
    shows_excluded: reactive[bool] = reactive(False, init=False)
    filter_text: reactive[str] = reactive("", init=False)
    folded: reactive[frozenset[str]] = reactive(frozenset(), init=False)
    """Codes of requirements whose models are hidden among the excluded."""
    _is_to_explain = False
    """Whether the panel is behind the table."""

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="picks-title")
        yield Input(placeholder="part of a name, file type, licence or reason", compact=True, id="filter")
        with Container(id="picks-body"):
            with Vertical(id="picks-left"):
                yield Ranking()
                yield Paragraphs(id="nothing")
                with Horizontal(id="picks-actions"):
                    yield Button("a: admit this model", id="admit", action="screen.admit", compact=True)
                    yield Button("u: take back", id="take-back", action="app.undo", compact=True)
                    yield Button("o: published results", id="published", action="app.rank_by_trial", compact=True)
                yield Static(markup=False, id="rest")
            yield Sections(id="why")

    # ------------------------------------------------------------ what is shown

    def show_topic(self, topic: Topic) -> None:
        if topic in ("machine", "advice"):
            self._show_rows()

    def _show_rows(self) -> None:
        found = self.session.found
        title = self.query_one("#picks-title", Static)
        self._show_ways_back()
        session = self.session
        is_changed = session.last_change is not None or session.evidence is not None
        # Not by a class of the screen: that styles everything on it anew.
        self.query_one("#picks-actions").display = self.shows_excluded or is_changed
        if found is None or self.session.advice_error is not None:
            self._show_nothing(self._waiting())
            title.update("")
        elif not found.ranked and not self.shows_excluded:
            self._show_nothing(nothing_passes(found))
            title.update(f"{remaining_text(found)} · x shows all that are excluded")
        elif not found.rejected and self.shows_excluded:
            self._show_nothing((Paragraph("Nothing is excluded", ("Every model passes. x shows the picks.",)),))
            title.update(remaining_text(found))
        else:
            self.set_class(False, "-nothing")
            rows = self._rows(found)
            title.update(self._title(found, rows))
            self.query_one("#rest", Static).update(
                "" if self.shows_excluded else "\n".join(excluded_lines(found.rejected))
            )
            self._follow_cursor()

    def _show_ways_back(self) -> None:
        is_by_trial = self.session.evidence is not None
        self.query_one("#published", Button).display = is_by_trial and not self.shows_excluded
        change = self.session.last_change
        button = self.query_one("#take-back", Button)
        button.display = change is not None
        if change is not None:
            # Where there is room for few words, the notice of the change has told what it was.
            button.label = "u: take back" if self.has_class("-tiny") else f"u: as before {change.what}"

    def _waiting(self) -> tuple[Paragraph, ...]:
        session = self.session
        if session.advice_error is not None:
            advice = "Change them in 2 Needs."
            if session.last_change is not None:
                advice = f"Change them in 2 Needs, or press u: then they are as before {session.last_change.what}."
            return (Paragraph("These answers cannot be used", (str(session.advice_error), advice)),)
        if session.probe_error is not None:
            hint = "Press r to look again, or start with another --machine."
            return (Paragraph("There is no machine to advise for", (str(session.probe_error), hint)),)
        return (Paragraph("One moment", ("looking at this machine and weighing the models …",)),)

    def _show_nothing(self, paragraphs: tuple[Paragraph, ...]) -> None:
        self.set_class(True, "-nothing")
        self.query_one("#nothing", Paragraphs).show(paragraphs)

    def _rows(self, found: Recommendation) -> Rows:
        """Put the rows into the table."""
        table = self.query_one(Ranking)
        if self.shows_excluded:
            rows = excluded_rows(found, self.filter_text, self.folded)
            nearest = nearest_miss(found.rejected) or found.rejected[0]
            # From the picks the cursor goes to the nearest miss, not to the head of its requirement.
            keys = {key for key, _ in rows.rows}
            selected = table.selected_key if table.selected_key in keys else nearest.model.id
            table.show(REJECTION_COLUMNS, rows.rows, selected)
            return rows
        chosen, sort = self.session.chosen, SORTS[self.sort_index]
        chosen_id = chosen.model.id if chosen else None
        rows = pick_rows(found, sort, self.filter_text, self.session.marked, chosen_id)
        table.show(PICK_COLUMNS, rows.rows, chosen_id, (sort.column, sort.arrow))
        return rows

    def _title(self, found: Recommendation, rows: Rows) -> str:
        filtered = f" · filter “{self.filter_text}”: {rows.n_matching}" if self.filter_text else ""
        hidden = rows.n_matching - len(rows.rows)
        if self.shows_excluded:
            return f"{len(found.rejected)} excluded{filtered} · x shows the picks"
        more = f" · the first {len(rows.rows)}; / finds the other {hidden:,}" if hidden > 0 else ""
        n_marked = len(self.session.marked_candidates)
        marked = f" · {n_marked} marked, c compares" if n_marked else ""
        machines = " and machines" if self.sort_index == 0 and one_machine_ends(found) else ""
        by = f"by {SORTS[self.sort_index].word}{machines}{' and your trial' if found.trial else ''}"
        return f"{remaining_text(found)} · {by}{filtered}{more}{marked} · {MARKS_LEGEND}"

    def _selected(self) -> Candidate | Rejection | ExcludedGroup | None:
        found, key = self.session.found, self.query_one(Ranking).selected_key
        if found is None or key is None:
            return None
        if key.startswith(GROUP):
            return next((g for g in excluded_groups(found.rejected) if key == f"{GROUP}{g.code}"), None)
        rows: tuple[Candidate, ...] | tuple[Rejection, ...] = found.rejected if self.shows_excluded else found.ranked
        return next((row for row in rows if row.model.id == key), None)

    def _follow_cursor(self) -> None:
        """The row under the cursor is the choice, also where a filter moved the cursor."""
        selected = self._selected()
        if isinstance(selected, Candidate) and selected != self.session.chosen:
            self.session.chosen_model = selected.model.id
            self.changed.publish("chosen")
        self._show_admit(selected)
        if not self._is_to_explain:
            # The table is drawn first: it is what the key was pressed for, and the panel takes as long again.
            self._is_to_explain = True
            self.call_after_refresh(self._explain)

    def _show_admit(self, selected: Candidate | Rejection | ExcludedGroup | None) -> None:
        """Offer to admit the excluded model under the cursor, where an answer can."""
        admit = self.query_one("#admit", Button)
        admit.display = self.shows_excluded and isinstance(selected, Rejection)
        if isinstance(selected, Rejection):
            admit.disabled = not selected.is_liftable
            admit.label = "a: admit this model" if selected.is_liftable else "no answer admits this model"
            admit.refresh(layout=True)

    def _explain(self) -> None:
        self._is_to_explain = False
        selected, found = self._selected(), self.session.found
        panel = self.query_one(Sections)
        if selected is None or found is None:
            panel.show((Paragraph("No row matches", (f"Filter: {self.filter_text}", "Esc clears the filter.")),))
        elif isinstance(selected, ExcludedGroup):
            panel.show(exclusion_paragraphs(selected))
        elif isinstance(selected, Rejection):
            panel.show(rejection_paragraphs(selected))
        else:
            panel.show(explanation(selected, found, width=panel.scrollable_content_region.width - 2))

    # ------------------------------------------------------------ the user

    def watch_sort_index(self) -> None:
        self._show_rows()

    def watch_shows_excluded(self) -> None:
        self._show_rows()

    def watch_filter_text(self) -> None:
        self._show_rows()

    def watch_folded(self) -> None:
        self._show_rows()

    @on(Ranking.Outdated)
    def _outdated(self) -> None:
        self._show_rows()

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        # An event that was under way while the rows were replaced names a row that the cursor has left, or none.
        if getattr(event.row_key, "value", None) != self.query_one(Ranking).selected_key:
            return
        self._follow_cursor()

    @on(DataTable.RowSelected)
    def _opened(self, event: DataTable.RowSelected) -> None:
        key = getattr(event.row_key, "value", None) or ""
        if key.startswith(GROUP):
            self.folded = self.folded ^ {key.removeprefix(GROUP)}
            return
        self.add_class("-reading")
        self.set_focus(self.query_one(Sections))

    @on(DataTable.HeaderSelected)
    def _header_clicked(self, event: DataTable.HeaderSelected) -> None:
        index = next((i for i, sort in enumerate(SORTS) if sort.column == event.column_key.value), None)
        if index is not None and not self.shows_excluded:
            self.sort_index = index

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

    async def action_admit(self) -> None:
        """Admit the excluded model under the cursor."""
        selected = self._selected()
        if not self.shows_excluded or not isinstance(selected, Rejection):
            self.notify("Press x for the excluded models, choose one, then press a.", markup=False)
            return
        if not selected.is_liftable:
            reasons = "; ".join(reason.text for reason in selected.reasons if reason.change is None)
            said = f"No answer admits {selected.model.name}: {reasons}\nNothing was changed."
            self.notify(said, severity="warning", markup=False)
            return
        self.shows_excluded = False
        self.set_focus(self.query_one(Ranking))
        await self.run_action(f"app.admit({selected.model.id!r})")

    def action_mark(self) -> None:
        """Mark the model under the cursor for comparison, or unmark it."""
        selected, session = self._selected(), self.session
        if not isinstance(selected, Candidate):
            self.notify("Only models that pass can be marked: x shows them.", markup=False)
        elif selected.model.id in session.marked:
            session.marked = tuple(m for m in session.marked if m != selected.model.id)
        elif len(session.marked_candidates) >= MOST:
            self.notify(f"{MOST} models are marked already: unmark one first.", severity="warning", markup=False)
        else:
            kept = tuple(c.model.id for c in session.marked_candidates)
            session.marked = (*kept, selected.model.id)
        self._show_rows()

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
