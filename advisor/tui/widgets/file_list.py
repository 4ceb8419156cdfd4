"""Names of files, of which one is shown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class FileList(OptionList):
    """A name that is too long loses its beginning: what differs stands at the end."""

    HELP = "The files that are made together: up and down show one, and so does a click."

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self._names: Sequence[str] = ()

    def show(self, names: Sequence[str]) -> None:
        """Replace the names; the first is highlighted."""
        if names != self._names:
            self._names = names
            self._fill(0)

    def on_resize(self) -> None:
        self._fill(self.highlighted)

    def _fill(self, highlighted: int | None) -> None:
        width = self.scrollable_content_region.width
        with self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options(Option(Content(_shortened(name, width))) for name in self._names)
            self.highlighted = highlighted if self._names else None


def _shortened(name: str, width: int) -> str:
    if width <= 1 or cell_len(name) <= width:
        return name
    kept = name
    while kept and cell_len(kept) >= width:
        kept = kept[1:]
    return f"…{kept}"
