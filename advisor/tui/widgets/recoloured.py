"""Content that carries colours of the style sheet, and gets new ones with another theme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from textual.widget import Widget


class Recoloured(Widget):
    """A widget whose content was given colours when it was made, which Textual therefore leaves as they are."""

    COLOURS: ClassVar[frozenset[str]] = frozenset()
    """Those of its component classes that its content carries."""

    _taken: Mapping[str, Style] | None = None
    """What the content carries; None before there is any."""

    def take_colours(self) -> Mapping[str, Style]:
        """The present style of each of COLOURS, for content that is made now."""
        self._taken = self._present()
        return self._taken

    def recolour(self) -> None:
        """Make the content anew, in colours that it takes."""
        raise NotImplementedError

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._taken is not None:  # later, since component classes get their styles after this
            self.call_later(self._recolour_where_stale)

    def _recolour_where_stale(self) -> None:
        if self._taken != self._present():
            self.recolour()

    def _present(self) -> Mapping[str, Style]:
        return {name: self.get_component_rich_style(name, partial=True) for name in sorted(self.COLOURS)}
