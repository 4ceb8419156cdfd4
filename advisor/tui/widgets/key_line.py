"""The keys of a place in one line, for reading and for clicking."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from advisor.tui.commands import Command, commands_at
from advisor.tui.keymap import Keymap
from advisor.tui.places import PlaceId

_ALWAYS = ("help", "quit")


class KeyLine(Widget):
    """Where there is no room for all, the last ones before help and quit are left out; help has them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    is_typing: reactive[bool] = reactive(False)
    """Whether letters go into a field now."""

    def __init__(self, place: PlaceId, keys: Keymap) -> None:
        super().__init__()
        self._keymap = keys
        self._commands = [command for command in commands_at(place) if place in command.footer]

    def render(self) -> Text:
        style = self.get_component_rich_style("key-line--key", partial=True)
        text = Text(no_wrap=True, overflow="crop")
        for shown, label, _ in self._shown():
            text.append(f" {shown}", style)
            text.append(f" {label} ")
        return text

    def _shown(self) -> list[tuple[str, str, str]]:
        """Key, label and action of what is offered now."""
        if self.is_typing:
            return [("Esc", "Leave the field", "screen.back")]
        always = [c for c in self._commands if c.id in _ALWAYS]
        others = [c for c in self._commands if c.id not in _ALWAYS]
        while others and sum(self._width(c) for c in [*others, *always]) > self.size.width:
            others.pop()
        return [(self._keymap.shown(c), c.label, c.action) for c in [*others, *always]]

    async def on_click(self, event: events.Click) -> None:
        start = 0
        for shown, label, action in self._shown():
            start += len(shown) + len(label) + 3
            if event.x < start:
                await self.app.run_action(action, self.screen)
                return

    def _width(self, command: Command) -> int:
        return len(self._keymap.shown(command)) + len(command.label) + 3
