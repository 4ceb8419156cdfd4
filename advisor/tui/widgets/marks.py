"""Switches whose state shows in their shape: `[x]` on, `[ ]` off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


def _box(is_on: bool) -> str:
    return "[x]" if is_on else "[ ]"


class YesNo(Widget, can_focus=True):
    """One switch."""

    HELP = "A switch: the space bar changes it. [x] is on, [ ] is off."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "change", "Change", show=False),
    ]

    value: reactive[bool] = reactive(False)
    """Whether it is on."""

    @dataclass
    class Changed(Message):
        """The user changed it."""

        value: bool

    def __init__(self, value: bool) -> None:
        super().__init__()
        self.set_reactive(YesNo.value, value)

    def render(self) -> Text:
        return Text(f"{_box(self.value)} {'yes' if self.value else 'no'}")

    def action_change(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed(self.value))

    def on_click(self) -> None:
        self.action_change()


class Ticks(Widget, can_focus=True):
    """Several switches in a row; the arrow marks the one that the space bar changes."""

    HELP = "Several switches: left and right mark one, the space bar changes it. [x] is on, [ ] is off."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "change", "Change", show=False),
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right", "step(1)", "Next", show=False),
    ]

    value: reactive[tuple[str, ...]] = reactive(())
    """Keys of those that are on."""
    cursor: reactive[int] = reactive(0)
    """Index of the marked one."""

    @dataclass
    class Changed(Message):
        """The user changed one."""

        value: tuple[str, ...]

    def __init__(self, choices: Mapping[str, str], value: tuple[str, ...]) -> None:
        super().__init__()
        self._choices = dict(choices)
        self.set_reactive(Ticks.value, value)

    def render(self) -> Text:
        text = Text()
        for i, label in enumerate(self._labels()):
            is_marked = self.has_focus and i == self.cursor
            text.append(">" if is_marked else " ", "bold")
            text.append(label, "bold" if is_marked else "")
        return text

    def _labels(self) -> list[str]:
        return [f"{_box(key in self.value)} {word} " for key, word in self._choices.items()]

    def action_step(self, step: int) -> None:
        self.cursor = (self.cursor + step) % len(self._choices)

    def action_change(self) -> None:
        changed = list(self._choices)[self.cursor]
        self.value = tuple(key for key in self._choices if (key in self.value) != (key == changed))
        self.post_message(self.Changed(self.value))

    def on_click(self, event: events.Click) -> None:
        start = 0
        for i, label in enumerate(self._labels()):
            start += len(label) + 1
            if event.x < start:
                self.cursor = i
                self.action_change()
                return

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
