"""Users against latency as a widget."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from advisor.tui.widgets.curves_canvas import Plot, draw_curves


class Curves(Widget):
    """Draws a plot as large as it is itself."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"curves--chosen", "curves--target"}
    HELP = "Users against latency: a numbered curve for each candidate, a cross where its targets break."

    plot: reactive[Plot | None] = reactive(None)
    """What is drawn; None while nothing is known."""

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="crop", end="")
        if self.plot is None:
            return text
        drawing = draw_curves(self.plot, self.size.width, self.size.height)
        styles = {kind: self.get_component_rich_style(f"curves--{kind}", partial=True) for kind in ("chosen", "target")}
        for y, row in enumerate(drawing.rows):
            for x, character in enumerate(row):
                text.append(character, styles.get(drawing.kinds.get((x, y), ""), ""))
            text.append("\n" if y < len(drawing.rows) - 1 else "")
        return text
