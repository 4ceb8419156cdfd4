"""Asks before answers are lost."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label


class LeaveScreen(ModalScreen[bool]):
    """True when the user wants to quit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "Stay"),
        Binding("q,y", "dismiss(True)", "Quit"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(id="leave"):
            yield Label("Quit? Your answers are in no file yet: 5 Export would keep them.")
            with Horizontal():
                yield Button("q: quit", id="yes", variant="error", compact=True)
                yield Button("Esc: stay", id="no", variant="primary", compact=True)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
