"""A terminal of a few cells is drawn as if it had some more: Textual and Rich cannot fold text into no columns."""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.geometry import Size

LEAST = Size(24, 6)
"""Below this nothing can be read, and what lies outside is cut off by the terminal."""


def at_least(size: Size) -> Size:
    """A size that the screens can be laid out in."""
    return Size(max(size.width, LEAST.width), max(size.height, LEAST.height))


class NeverTinyApp(App[None]):
    """The part of an app that keeps its size from vanishing."""

    @property
    def size(self) -> Size:
        return at_least(super().size)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize):
            event = events.Resize(at_least(event.size), at_least(event.virtual_size))
        await super().on_event(event)
