"""What the keys do in a place."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from advisor.tui.commands import commands_at
from advisor.tui.keymap import Keymap
from advisor.tui.places import PLACE_HELP, PLACES, PlaceId
from advisor.tui.widgets.question_row import QuestionRow

_GENERAL = (
    ("1 to 5", f"Go to {', '.join(name for _, name in PLACES)}. The mouse works everywhere, too."),
    ("Tab ↑ ↓", "Move; Enter opens or presses what is marked, the space bar changes it."),
    ("Ctrl+P", "Find a command by its name, or change the theme."),
)
_TYPING = "While you type in a field, letters are letters: Esc leaves the field. Esc closes this."


def help_of(widget: Widget | None) -> str | None:
    """What the focused widget and those around it say of themselves, the outermost first; None where none does."""
    said: list[str] = []
    for node in widget.ancestors_with_self if widget is not None else ():
        if isinstance(node, QuestionRow):
            said.append(f"{node.question.title}. {node.question.help}")
        elif isinstance(node, Widget) and not isinstance(node, Screen) and node.HELP:
            said.append(node.HELP)
    return "\n".join(reversed(said)) or None


class HelpScreen(ModalScreen[None]):
    """Made from the command registry."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,f1,q,enter", "dismiss", "Close")]

    def __init__(self, place: PlaceId, keys: Keymap, about: str | None = None) -> None:
        super().__init__()
        self._place = place
        self._keymap = keys
        self._about = about

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            if self._about is not None:
                yield Static(Text(self._about, "bold"), id="help-about")
            yield Static(f"{dict(PLACES)[self._place]}. {PLACE_HELP[self._place]}", markup=False)
            yield Static(self._keys(), id="help-keys")
            yield Static(_TYPING, markup=False)

    def _keys(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", min_width=7)
        table.add_column()
        # The digits of the places stand in one line of their own.
        commands = [c for c in commands_at(self._place) if not c.id.startswith("go.")]
        for shown, text in [*((self._keymap.shown(c), c.help) for c in commands), *_GENERAL]:
            table.add_row(Text(shown, "bold"), Text(text))
        return table
