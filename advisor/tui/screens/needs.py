"""Needs: the questionnaire as a form, with what the answers leave."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.reactive import reactive
from textual.signal import Signal
from textual.widgets import Button, Label, Static

from advisor.domain.exclusion_words import exclusion_mark, exclusion_sentence, idle_text, short_exclusion_mark
from advisor.domain.presentation import first_text, remaining_text
from advisor.domain.presets import Preset
from advisor.domain.questions import Question, answer_text
from advisor.errors import AdvisorError
from advisor.tui.commands import bindings_at
from advisor.tui.listening import ListeningApp
from advisor.tui.messages import AnswersChanged, Topic
from advisor.tui.screens.place import Place
from advisor.tui.screens.preset_list import PresetList
from advisor.tui.session import Session
from advisor.tui.widgets.form_line import FormLine
from advisor.tui.widgets.paged import Paged
from advisor.tui.widgets.question_row import QuestionRow

_AT_ONCE = 24
"""Lines of the form that are mounted first: as many as a terminal shows."""
_FRAME_S = 0.07
"""After which Textual has drawn a new screen: it waits 50 ms and then for the next frame."""
_AT_A_TIME = 8
"""Lines that are mounted in one piece after that."""
_UNSEEN_AT_A_TIME = 4
"""The same while another place is shown, whose keys wait for each piece."""


class Form(Paged, can_focus=True):
    """Arrows move from question to question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "Before", show=False),
        Binding("down", "step(1)", "Next", show=False),
    ]

    latest: QuestionRow | None = None
    """The row that had the focus last: after leaving a field the arrows go on from there."""

    def action_step(self, step: int) -> None:
        rows = [row for row in self.query(QuestionRow) if row.display or row is self.latest]
        if not rows:
            return
        index = rows.index(self.latest) + step if self.latest in rows else 0
        # At once, so that of keys that come in one burst each finds the field that the one before led to.
        self.latest = rows[max(0, min(len(rows) - 1, index))]
        self.screen.set_focus(self.latest.editor)


class NeedsScreen(Place):
    """Every valid answer counts at once; an invalid one stays as typed and counts for nothing."""

    place = "needs"
    BINDINGS = bindings_at("needs")
    AUTO_FOCUS = "#form"

    shows_all: reactive[bool] = reactive(False, init=False)
    """Whether the questions that few people need are there, too."""
    shows_idle: reactive[bool] = reactive(False, init=False)
    """Whether the questions that cannot change anything now are there, too."""

    def __init__(self, session: Session, changed: Signal[Topic]) -> None:
        super().__init__(session, changed)
        self._rebuilding = asyncio.Lock()

    def body(self) -> ComposeResult:
        with Container(id="needs-body"):
            with VerticalScroll(id="guide", can_focus=False):
                yield Static(markup=False, id="remaining")
                yield Static(markup=False, id="question-help")
            yield Form(id="form")

    def _sections(self) -> ComposeResult:
        try:
            answers, questionnaire = self.session.answers, self.session.advisor.questionnaire
        except AdvisorError as error:
            yield Static(str(error), markup=False)
            return
        yield FormLine(self._preset_text(), "preset", id="preset-line")
        for section in questionnaire.sections:
            asked = [q for q in questionnaire.of_section(section.id) if self.shows_all or not q.advanced]
            if asked:
                yield Label(section.title, markup=False, classes="section-title", name=section.id)
            for question in asked:
                row = QuestionRow(question, answers[question.key], self.session.shown_text(question))
                row.set_class(self._is_folded(row), "-folded")
                yield row
        yield FormLine("", "fold", id="fold-line")
        yield Button("Show the picks", id="to-picks", action="app.go('picks')", compact=True)

    def fill(self) -> None:
        if self.is_current and getattr(self.app, "works_ahead", False):
            # Whoever comes before the fields were built sees the place at once, and the fields then.
            self.set_timer(_FRAME_S, self._rebuild)
        else:
            # Not after the refresh of the screen, which may be another one, whose keys would wait for these fields.
            self.call_later(self._rebuild)

    def show_topic(self, topic: Topic) -> None:
        self.query_one("#remaining", Static).update(self._remaining())
        if topic == "advice":
            self._show_conflict(self.session.advice_error)
        if topic == "refilled":
            self.call_later(self._rebuild)
        if topic in ("advice", "counts"):
            self._show_counts()
            self._fold()

    def _remaining(self) -> str:
        session = self.session
        lines = []
        if session.advice_error is not None:
            lines.append(f"✗ {session.advice_error}")
        elif session.found is None:
            lines.append("looking …" if session.machine is None else "weighing the models …")
        else:
            lines.append(remaining_text(session.found))
            first = first_text(session.found)
            lines += [] if first is None else [first]
        if session.drafts:
            lines.append(f"✗ not counted, because invalid: {len(session.drafts)}")
        return "\n".join(lines)

    def _preset_text(self) -> str:
        preset = next((p for p in self.session.advisor.presets if p.id == self.session.preset), None)
        if preset is None:
            return "▸ Start from a preset (p)"
        answers = {**self.session.advisor.questionnaire.defaults(), **preset.answers}
        since = "" if answers == self.session.answers else ", changed since"
        return f"▸ Preset: {preset.title}{since} (p another, u undo)"

    def _show_counts(self) -> None:
        """Beside each answer what it excludes, and whether the question matters at all."""
        session = self.session
        for line in self.query("#preset-line").results(FormLine):
            line.update(self._preset_text())
        for row in self.query(QuestionRow):
            found = session.exclusions.get(row.question.key)
            later = " …" if session.is_counting else ""
            if found is not None:
                row.show_mark(exclusion_mark(found) + later, short_exclusion_mark(found))
            else:
                row.show_mark(*(("no effect now", "") if row.question.key in session.idle else ("", "")))
        self._show_help()

    def _fold(self) -> None:
        """Hide what cannot matter, but neither what is being answered nor what was answered wrongly."""
        rows = list(self.query(QuestionRow))
        idle = [row for row in rows if row.question.key in self.session.idle]
        with self.app.batch_update():
            for row in rows:
                row.set_class(self._is_folded(row), "-folded")
                row.set_class(row in idle, "-moot")
            for title in self.query(".section-title"):
                section = [row for row in rows if row.question.section == title.name]
                title.set_class(bool(section) and all(row.has_class("-folded") for row in section), "-folded")
            for line in self.query("#fold-line").results(FormLine):
                line.update(f"{idle_text(len(idle), are_shown=self.shows_idle)} (f)")
                line.set_class(not idle, "-empty")

    def _is_folded(self, row: QuestionRow) -> bool:
        key = row.question.key
        return key in self.session.idle and not (self.shows_idle or row.has_focus_within or key in self.session.drafts)

    def _show_help(self) -> None:
        """About the question that has the focus."""
        row = self.query_one(Form).latest
        if row is None:
            return
        found = self.session.exclusions.get(row.question.key)
        # A title that is cut is read here.
        parts = [f"{row.question.title}: {_help(row.question)}" if self.has_class("-tiny") else _help(row.question)]
        if row.question.key in self.session.idle:
            parts.append("With the other answers as they are, this one cannot change anything.")
        elif found is not None:
            parts.insert(0, exclusion_sentence(found))
        self.query_one("#question-help", Static).update(" ".join(parts))

    def _show_drafts(self) -> None:
        """Say again what is wrong with text that was typed before."""
        for row in self.query(QuestionRow):
            draft = self.session.drafts.get(row.question.key)
            if draft is not None:
                row.show_error(self._words(self.session.answer(row.question, draft), row.question))

    def _show_conflict(self, error: AdvisorError | None) -> None:
        """Answers that contradict one another: say so at the question that the error names."""
        key = error.what.partition(":")[0] if error is not None else ""
        for row in self.query(QuestionRow):
            if row.question.key not in self.session.drafts:
                row.show_error(self._words(error, row.question) if row.question.key == key else None)

    def _words(self, error: AdvisorError | None, question: Question) -> str | None:
        """An error without the key, which the row shows already, and what counts instead of a draft."""
        if error is None:
            return None
        text = error.why or error.what.removeprefix(f"{question.key}: ")
        if error.hint is not None:
            text = f"{text}. {error.hint}"
        if question.key not in self.session.drafts:
            return text
        return f"{text}; {answer_text(question, self.session.answers[question.key]) or 'no requirement'} still counts"

    # ------------------------------------------------------------ the user

    @on(QuestionRow.Answered)
    def _answered(self, message: QuestionRow.Answered) -> None:
        if message.row.has_gone:
            return
        session, question = self.session, message.row.question
        before = session.answers[question.key]
        message.row.show_error(self._words(session.answer(question, message.raw), question))
        message.row.show_answer(session.answers[question.key])
        self.query_one("#remaining", Static).update(self._remaining())
        if session.answers[question.key] != before:
            self.post_message(AnswersChanged())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        super().on_descendant_focus(event)
        for node in event.widget.ancestors_with_self:
            if isinstance(node, QuestionRow):
                self.query_one(Form).latest = node
                self._show_help()
                self._fold()
                return

    def go_back(self) -> bool:
        left = super().go_back()
        if left:
            self.set_focus(self.query_one(Form), scroll_visible=False)
        return left

    async def action_advanced(self) -> None:
        """Show or hide the questions that few people need."""
        self.shows_all = not self.shows_all
        await self._rebuild()

    async def action_defaults(self) -> None:
        """Put every answer back to its default."""
        self.session.reset()
        await self._refill()

    async def _wait_until_calm(self) -> None:
        if isinstance(self.app, ListeningApp):
            await self.app.wait_until_calm(lambda: self.is_current)

    def action_preset(self) -> None:
        """Choose a preset."""
        self.app.push_screen(PresetList(self.session.advisor.presets, self.session.preset), self._fill)

    async def _fill(self, preset: Preset | None) -> None:
        if preset is not None:
            self.session.fill(preset)
            await self._refill()

    async def _refill(self) -> None:
        """The answers are others now."""
        await self._rebuild()
        self.post_message(AnswersChanged())

    def action_fold(self) -> None:
        """Show or hide the questions that cannot change anything now."""
        self.shows_idle = not self.shows_idle
        self._fold()

    async def _rebuild(self) -> None:
        """Ask again, with the answers and drafts as they are."""
        form = self.query_one(Form)
        key = form.latest.question.key if form.latest is not None else None
        # Keys can come faster than fields are mounted.
        async with self._rebuilding:
            async with self.batch():
                await form.remove_children()
                # While the app closes nothing is removed any more.
                missing = iter(()) if form.children else iter(self._sections())
                # What is seen is drawn before the rest is there, and the rest leaves room for keys.
                await form.mount_all(islice(missing, _AT_ONCE if self.is_current else 0))
            while not self.is_current and (piece := list(islice(missing, _UNSEEN_AT_A_TIME))):
                await self._wait_until_calm()
                await form.mount_all(piece)
            async with self.batch():
                while piece := list(islice(missing, _AT_A_TIME)):
                    await form.mount_all(piece)
        self._show_drafts()
        self._show_counts()
        self._fold()
        row = next((row for row in form.query(QuestionRow) if row.question.key == key), None)
        if row is not None:
            # Not into the field: whoever rebuilt the form pressed a letter, and the next one may be a command, too.
            form.latest = row
            self.set_focus(form, scroll_visible=False)
            self.call_after_refresh(row.scroll_visible, animate=False)
        elif self.focused in (None, form):
            form.action_step(0)
        self.is_complete.set()


def _help(question: Question) -> str:
    if question.kind == "choice":
        return f"{question.help} ← and → change it, Enter lists the answers."
    if question.kind in ("bool", "choices"):
        return f"{question.help} The space bar changes it."
    return f"{question.help} Valid: {question.domain_text}."
