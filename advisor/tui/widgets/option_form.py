"""The options of an export, folded away until somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from advisor.domain.export_request import EXPORT_OPTIONS, ExportOption
from advisor.domain.questions import Answer, answer_text, read_answer
from advisor.errors import InputError
from advisor.tui.widgets.form_line import FormLine
from advisor.tui.widgets.paged import Paged
from advisor.tui.widgets.question_row import QuestionRow

_HINTS = {
    "node": "as planned", "gguf": "published file", "image": "the engine's own",
    "quantization": "as planned",
}  # fmt: skip
_HINT = "as recommended"


class OptionForm(Vertical):
    """What is typed for one target stays for the next one that has the same option."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Before", show=False),
    ]

    class Changed(Message):
        """What is asked for is another, or cannot be used any more."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self._answers: dict[str, Answer] = {option.question.key: option.question.default for option in EXPORT_OPTIONS}
        self._invalid: set[str] = set()
        self._offered: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        yield FormLine("", "options", id="options-line")

    def on_mount(self) -> None:
        self._show()

    # ------------------------------------------------------------ what is asked for

    @property
    def answers(self) -> dict[str, Answer]:
        """Of the offered options, those that differ from what is taken without a word; by field of the request."""
        return {
            option.question.key: self._answers[option.question.key]
            for option in EXPORT_OPTIONS
            if option.question.key in self._offered and self._answers[option.question.key] != option.question.default
        }

    @property
    def invalid(self) -> tuple[str, ...]:
        """Titles of the offered options whose text cannot be used."""
        wrong = self._invalid & self._offered
        return tuple(option.question.title for option in EXPORT_OPTIONS if option.question.key in wrong)

    def offer(self, options: Sequence[ExportOption]) -> None:
        """Show these options alone."""
        self._offered = frozenset(option.question.key for option in options)
        self._show()

    # ------------------------------------------------------------ what is shown

    @property
    def is_open(self) -> bool:
        """Whether the options can be seen."""
        return self.has_class("-open")

    async def toggle(self) -> None:
        """Open or fold; the rows are made when they are first asked for."""
        if not self.is_open and not self.query(QuestionRow):
            rows = Paged(*map(_row, EXPORT_OPTIONS), id="options-rows", can_focus=False)
            await self.mount(rows)
        self.toggle_class("-open")
        self.screen.set_class(self.is_open, "-deciding")
        self._show()
        first = next((row for row in self.query(QuestionRow) if row.display), None)
        self.screen.set_focus(first.editor if self.is_open and first is not None else self.query_one(FormLine))

    def _show(self) -> None:
        self.display = bool(self._offered)
        for row in self.query(QuestionRow):
            row.display = row.question.key in self._offered
        sign = "▾" if self.is_open else "▸"
        answered = next((row for row in self.query(QuestionRow) if row.has_focus_within), None)
        said = self._given() if answered is None else answered.question.help
        self.query_one(FormLine).update(f"{sign} Options (p){': ' if said else ''}{said}")

    def _given(self) -> str:
        """What is decided, in a line."""
        titles = {option.question.key: option.question.title.lower() for option in EXPORT_OPTIONS}
        return ", ".join(f"{titles[key]} {answer}" for key, answer in self.answers.items())

    def on_descendant_focus(self) -> None:
        self._show()

    def on_descendant_blur(self) -> None:
        self._show()

    # ------------------------------------------------------------ the user

    @on(QuestionRow.Answered)
    def _answered(self, message: QuestionRow.Answered) -> None:
        message.stop()
        question = message.row.question
        try:
            answer = read_answer(question, message.raw)
        except InputError as error:
            message.row.show_error(error.why or error.what)
            self._invalid.add(question.key)
        else:
            message.row.show_error(None)
            message.row.show_answer(answer)
            self._invalid.discard(question.key)
            self._answers[question.key] = answer
        self._show()
        self.post_message(self.Changed())


def _row(option: ExportOption) -> QuestionRow:
    question = option.question
    text = answer_text(question, question.default)
    return QuestionRow(question, question.default, text, hint=_HINTS.get(question.key, _HINT))
