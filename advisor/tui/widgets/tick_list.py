"""A list of which several can be ticked; the tick is a shape, not a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class TickList(OptionList):
    """Space, Enter or a click changes one."""

    HELP = "Several can be ticked: space changes the one under the cursor, and so does a click. [x] is ticked."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "select", "Tick", show=False)]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self._words: dict[str, str] = {}
        self._ticked: set[str] = set()

    def show(self, words: Mapping[str, str], ticked: set[str]) -> None:
        """Put these before what was added meanwhile; `ticked` are keys of `words`."""
        self._words = {**words, **self._words}
        self._ticked |= ticked
        self._fill(0)

    def add(self, key: str, word: str) -> None:
        """Add one, ticked; where it is there already it is ticked."""
        self._words.setdefault(key, word)
        self._ticked.add(key)
        self._fill(list(self._words).index(key))

    @property
    def ticked(self) -> list[str]:
        """Keys of what is ticked, in the order of the list."""
        return [key for key in self._words if key in self._ticked]

    def _fill(self, highlighted: int) -> None:
        self.clear_options()
        self.add_options(
            Option(Content(f"[{'x' if key in self._ticked else ' '}] {word}")) for key, word in self._words.items()
        )
        self.highlighted = highlighted if self._words else None

    @on(OptionList.OptionSelected)
    def _changed(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._ticked ^= {list(self._words)[event.option_index]}
        self._fill(event.option_index)
