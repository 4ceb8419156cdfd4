"""One question of the form: its title and the widget for its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from advisor.domain.questions import Answer, Question
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.marks import Ticks, YesNo

_WIDE_ENOUGH = 34
"""Cells in which a title and a mark in words can stand side by side."""


class QuestionTitle(Widget):
    """The title to the left and what the answer excludes to the right; a long title makes room for it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"question-title--mark"}

    text: reactive[str] = reactive("")
    marks: reactive[tuple[str, str]] = reactive(("", ""))
    """The mark in words and in few signs."""

    def __init__(self, text: str) -> None:
        super().__init__(classes="question-title")
        self.set_reactive(QuestionTitle.text, text)

    def render(self) -> Text:
        mark = self.marks[0] if self.size.width >= _WIDE_ENOUGH else self.marks[1]
        room = self.size.width - (cell_len(mark) + 2 if mark else 0)
        line = Text(self.text, no_wrap=True)
        line.truncate(max(1, room if mark else room - 1), overflow="ellipsis")  # it does not touch what follows
        line.pad_right(max(0, room - line.cell_len))
        if mark:
            line.append(f" {mark} ", self.get_component_rich_style("question-title--mark", partial=True))
        return line


class AnswerError(Static):
    """What is wrong with the answer above."""


class QuestionRow(Horizontal):
    """Reports every change; whether it is valid is for the owner of the answers to say."""

    @dataclass
    class Answered(Message):
        """The user changed the answer to `raw`, which may be invalid."""

        row: QuestionRow
        raw: object

    def __init__(self, question: Question, answer: Answer, text: str, *, hint: str | None = None) -> None:
        super().__init__()
        self.question = question
        self._hint = hint
        self._answer = answer
        self._text = text
        self._is_changed = answer != question.default
        self._error: AnswerError | None = None

    def compose(self) -> ComposeResult:
        yield QuestionTitle(self._title)
        yield self._editor()

    @property
    def _title(self) -> str:
        """A question whose answer is not the default carries a mark."""
        return ("• " if self._is_changed else "") + self.question.title

    def _editor(self) -> Widget:
        question, answer = self.question, self._answer
        if question.kind == "bool":
            return YesNo(answer is True)
        if question.kind == "choice":
            return Choice(question.title, question.choices, str(answer))
        if question.kind == "choices":
            return Ticks(question.choices, answer if isinstance(answer, tuple) else ())
        hint = self._hint or ("no requirement" if question.optional else question.domain_text)
        return Input(self._text, placeholder=hint, compact=True, select_on_focus=False)

    @property
    def editor(self) -> Widget:
        """The widget that takes the answer."""
        return self.children[1]

    @property
    def has_gone(self) -> bool:
        """Whether the form was made anew, so that what was answered here last belongs to no question any more."""
        return not self.is_attached or not self.query(QuestionTitle)

    @property
    def error_text(self) -> str | None:
        """What is said to be wrong with the answer."""
        return None if self._error is None else str(self._error.content)

    def show_error(self, text: str | None) -> None:
        """Say what is wrong below the field, or that nothing is."""
        if text is None:
            if self._error is not None:
                self._error.remove()
                self._error = None
        elif self._error is None:
            self._error = AnswerError(f"✗ {text}", markup=False)
            self.screen.mount(self._error, after=self)
            self.call_after_refresh(self._error.scroll_visible, animate=False)
        else:
            self._error.update(f"✗ {text}")

    def fill(self, text: str) -> None:
        """Put text into the field, as if it were typed."""
        if isinstance(self.editor, Input):
            self.editor.value = text

    def show_answer(self, answer: Answer) -> None:
        """Mark a question whose answer is not the default."""
        is_changed = answer != self.question.default
        if is_changed != self._is_changed:
            self._is_changed = is_changed
            self.query_one(QuestionTitle).text = self._title

    def show_mark(self, mark: str, short: str) -> None:
        """What the answer excludes, in words and in few signs; nothing where both are empty."""
        for title in self.query(QuestionTitle):  # none where the form is just made anew
            title.marks = (mark, short)

    @on(YesNo.Changed)
    @on(Ticks.Changed)
    @on(Choice.Changed)
    def _chosen(self, event: YesNo.Changed | Ticks.Changed | Choice.Changed) -> None:
        event.stop()
        self.post_message(self.Answered(self, event.value))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Answered(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()
