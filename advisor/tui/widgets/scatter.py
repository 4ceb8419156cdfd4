"""The plot of quality against speed as a widget that is clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from advisor.tui.widgets.canvas import Dot, draw


class Scatter(Widget):
    """Says which dot was clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"scatter--front", "scatter--chosen"}

    class Clicked(Message):
        """The dot nearest to a click."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, dots: Sequence[Dot], line: Sequence[Dot], chosen: str) -> None:
        super().__init__()
        self._dots, self._line = dots, line
        self._chosen = chosen
        self._places: dict[str, tuple[int, int]] = {}

    def choose(self, key: str) -> None:
        """Highlight another dot."""
        self._chosen = key
        self.refresh()

    def render(self) -> Text:
        drawing = draw(self._dots, self._line, self._chosen, self.size.width, self.size.height)
        self._places = {dot.key: drawing.places[dot.key] for dot in self._dots}
        styles = {kind: self.get_component_rich_style(f"scatter--{kind}", partial=True) for kind in ("front", "chosen")}
        text = Text(no_wrap=True, overflow="crop", end="")
        for y, row in enumerate(drawing.rows):
            for x, character in enumerate(row):
                text.append(character, styles.get(drawing.kinds.get((x, y), ""), ""))
            text.append("\n" if y < len(drawing.rows) - 1 else "")
        return text

    def on_click(self, event: events.Click) -> None:
        nearest = min(self._places.items(), key=lambda p: (p[1][0] - event.x) ** 2 + (2 * (p[1][1] - event.y)) ** 2)
        self.post_message(self.Clicked(nearest[0]))
