"""The bar of places: where one is, and the way to the others by click or arrow."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from advisor.tui.places import PLACES, PlaceId, neighbour
from advisor.tui.session import Session

_TITLE = "llm-advisor"


class PlaceBar(Widget, can_focus=True):
    """The current place stands in brackets, so that it shows without colour."""

    HELP = "The five places: left and right go along them, a click or a digit goes to one."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Place before", show=False),
        Binding("right", "step(1)", "Next place", show=False),
    ]

    def __init__(self, place: PlaceId, session: Session) -> None:
        super().__init__()
        self._place = place
        self._session = session

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="crop")
        for _, label, is_here in self._labels():
            text.append(label, "bold reverse" if is_here else "")
        title = f"SIM {_TITLE}" if self._session.is_simulated else _TITLE
        room = self.size.width - text.cell_len - 1
        text.append(title[: max(0, room - 1)].rjust(room), "bold" if self._session.is_simulated else "dim")
        return text

    def _labels(self) -> list[tuple[PlaceId, str, bool]]:
        """Place, text and whether it is the current one; only its number where there is no room for names."""
        whole = sum(len(name) + 4 for _, name in PLACES)
        labels: list[tuple[PlaceId, str, bool]] = []
        for i, (place, name) in enumerate(PLACES, start=1):
            here = place == self._place
            word = f"{i} {name}" if here or self.size.width >= whole else str(i)
            labels.append((place, f"[{word}]" if here else f" {word} ", here))
        return labels

    async def on_click(self, event: events.Click) -> None:
        start = 0
        for place, label, _ in self._labels():
            start += len(label)
            if event.x < start:
                await self.app.run_action(f"app.go('{place}')")
                return

    async def action_step(self, step: int) -> None:
        await self.app.run_action(f"app.go('{neighbour(self._place, step)}', True)")
