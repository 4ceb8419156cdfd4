"""Which trial quality is judged by: the last one, or a result that was saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from advisor.files import is_file
from advisor.tui.widgets.path_field import PathField

if TYPE_CHECKING:
    from advisor.tui.session import Session

_LAST = "Enter alone takes your last trial. Or name a saved result:"
_NONE = "No trial was finished here yet: o in 4 Proof starts one. Or name a saved result:"


class EvidenceScreen(ModalScreen[Path | None]):
    """The file of a result; None where all stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave it", show=False)]
    AUTO_FOCUS = "#evidence-path"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._folder = session.working_directory
        self._last = session.advisor.last_trial

    def compose(self) -> ComposeResult:
        with Vertical(id="evidence"):
            yield Label("Judge quality by which trial on your own tasks?", id="evidence-title", markup=False)
            yield Label(_LAST if is_file(self._last) else _NONE, id="evidence-about", markup=False)
            yield PathField("", self._folder, id="evidence-path")
            with Horizontal():
                yield Button("Enter: rank by it", id="take", variant="primary", compact=True)
                yield Button("Esc: leave it", id="leave-it", compact=True)

    def on_mount(self) -> None:
        self.query_one(PathField).placeholder = "RESULT.json of a trial"

    @on(Input.Submitted)
    def _entered(self) -> None:
        typed = self.query_one(PathField).value.strip()
        if typed:
            self.dismiss(self._folder / os.path.expanduser(typed))
        elif is_file(self._last):
            self.dismiss(self._last)
        else:
            self.query_one("#evidence-about", Label).update(f"✗ Nothing is named. {_NONE}")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "take":
            self._entered()
        else:
            self.dismiss(None)
