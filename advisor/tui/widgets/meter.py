"""Bars that are read by their shape: how much is done, and how narrow an interval has become."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from advisor.domain.proof_words import interval_bar, progress_bar


class Meter(Widget):
    """The share of a stage that is done. It never moves by itself, so reduced motion needs no case of its own."""

    share: reactive[float | None] = reactive(None)
    """0..1; None where it is not known."""

    def render(self) -> Text:
        return Text(progress_bar(self.share, self.size.width), no_wrap=True)


class IntervalMeter(Widget):
    """The interval around the figure that is measured; it narrows from both sides."""

    half_width: reactive[float | None] = reactive(None)
    """As a share of the figure; None where it is not known."""

    def render(self) -> Text:
        return Text(interval_bar(self.half_width, self.size.width), no_wrap=True)
