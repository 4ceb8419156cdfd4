"""A line of a form that does one thing when it is pressed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Static


class FormLine(Static, can_focus=True):
    """Runs an action of its screen on Enter, on the space bar and on a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "Press", show=False)]

    def __init__(self, text: str, action: str, *, id: str) -> None:  # noqa: A002 - as every widget has it
        super().__init__(text, markup=False, id=id)
        self._run = action

    async def action_press(self) -> None:
        await self.screen.run_action(self._run)

    async def on_click(self) -> None:
        await self.action_press()
