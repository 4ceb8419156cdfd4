"""The presets to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from advisor.domain.presets import Preset


class PresetList(ModalScreen[Preset | None]):
    """The preset that was chosen; None where none was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,p", "dismiss(None)", "Leave it", show=False)]

    def __init__(self, presets: Sequence[Preset], current: str | None) -> None:
        super().__init__()
        self._presets = tuple(presets)
        self._current = current

    def compose(self) -> ComposeResult:
        options = OptionList(*(Option(_words(preset)) for preset in self._presets))
        options.border_title = Content("Fill the form for")
        options.border_subtitle = Content("Enter fills it, Esc leaves it; u puts your answers back")
        yield options

    def on_mount(self) -> None:
        ids = [preset.id for preset in self._presets]
        if ids:
            self.query_one(OptionList).highlighted = ids.index(self._current) if self._current in ids else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._presets[event.option_index])


def _words(preset: Preset) -> Content:
    return Content.assemble((preset.title, "bold"), "\n", (preset.sentence, "$text-muted"))
