"""One of several words: the arrows step through them, Enter lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class ChoiceList(ModalScreen[str | None]):
    """The key of the word that was chosen; None where none was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Leave it", show=False)]

    def __init__(self, title: str, choices: Mapping[str, str], value: str) -> None:
        super().__init__()
        self._title = title
        self._choices = dict(choices)
        self._value = value

    def compose(self) -> ComposeResult:
        words = OptionList(*(Option(Content(word)) for word in self._choices.values()))
        words.border_title = Content(self._title)
        yield words

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = list(self._choices).index(self._value)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self._choices)[event.option_index])


class Choice(Widget, can_focus=True):
    """Shows the chosen word between arrows."""

    HELP = "One of several words: left and right change it, Enter lists them."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Choose", show=False),
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right", "step(1)", "Next", show=False),
    ]

    value: reactive[str] = reactive("")
    """Key of the chosen word."""

    @dataclass
    class Changed(Message):
        """The user chose another word."""

        value: str

    def __init__(self, title: str, choices: Mapping[str, str], value: str) -> None:
        super().__init__()
        self._title = title
        self._choices = dict(choices)
        self.set_reactive(Choice.value, value)

    def render(self) -> Text:
        word = Text(self._choices[self.value], no_wrap=True)
        word.truncate(max(1, self.size.width - cell_len("◂  ▸")), overflow="ellipsis")
        return Text.assemble("◂ ", word, " ▸", no_wrap=True)

    def action_step(self, step: int) -> None:
        keys = list(self._choices)
        self._choose(keys[(keys.index(self.value) + step) % len(keys)])

    def action_choose(self) -> None:
        self.app.push_screen(ChoiceList(self._title, self._choices, self.value), self._choose)

    def on_click(self) -> None:
        self.action_choose()

    def _choose(self, key: str | None) -> None:
        if key is not None and key != self.value:
            self.value = key
            self.post_message(self.Changed(key))
