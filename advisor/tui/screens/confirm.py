"""Asks before something is lost."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label


class ConfirmScreen(ModalScreen[bool]):
    """True when the user agrees. Nothing but the key or the button does; Enter alone leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(False)", "No"),
        Binding("y", "dismiss(True)", "Yes"),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, agree: str) -> None:
        super().__init__()
        self._question = question
        self._agree = agree

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm"):
            yield Label(self._question, markup=False)
            with Horizontal():
                yield Button("Esc: no", id="no", variant="primary", compact=True)
                yield Button(f"y: {self._agree}", id="yes", variant="error", compact=True)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
