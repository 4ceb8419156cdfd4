"""What all places have in common: the bar of places above, the keys below, and one session."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Input

from advisor.tui.messages import Topic
from advisor.tui.places import PLACE_IDS, PlaceId, neighbour
from advisor.tui.session import Session
from advisor.tui.widgets.grounds import Grounds
from advisor.tui.widgets.key_line import KeyLine
from advisor.tui.widgets.place_bar import PlaceBar

_FREQUENT: frozenset[Topic] = frozenset(("smoke", "measuring"))
"""What changes many times a second while the engine works: a place that nobody sees shows it when somebody does."""


class Place(Screen[None]):
    """A place shows the session and reports what the user does; it keeps no state that another place needs."""

    place: ClassVar[PlaceId]

    def __init__(self, session: Session, changed: Signal[Topic]) -> None:
        super().__init__()
        self.session = session
        self.changed = changed
        # For a screen whose count is behind, Textual reads every style sheet anew, twice and again on the next visit;
        # a new screen gets the present styles without that. Where a later Textual counts otherwise, nothing is saved.
        self._css_update_count = getattr(self.app, "_css_update_count", -1)
        self.add_class(*self._size_classes())
        self._missed: set[Topic] = set()
        self.is_complete = asyncio.Event()
        """Set when all is there that a place mounts by itself."""

    def _size_classes(self) -> list[str]:
        """What Textual calls the size of the terminal, known before the first layout: learnt from it, they would have
        everything styled and laid out a second time."""
        size = self.app.size
        sides = (size.width, self.app.HORIZONTAL_BREAKPOINTS), (size.height, self.app.VERTICAL_BREAKPOINTS)
        return [name for n_cells, steps in sides for _, name in sorted(s for s in steps or () if s[0] <= n_cells)[-1:]]

    def compose(self) -> ComposeResult:
        yield PlaceBar(self.place, self.session)
        yield Grounds(self.session)
        yield from self.body()
        yield KeyLine(self.place, self.session.keys)

    def body(self) -> ComposeResult:
        """Everything between the bar and the keys."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.changed.subscribe(self, self._on_topic)
        self.show_topic("machine")
        self.fill()

    def fill(self) -> None:
        """Mount what is too much for the first moment, and say when it is there."""
        self.is_complete.set()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep what is drawn. By default every style is applied anew, which empties all caches, and then a table takes
        longer to draw than people wait; a new theme or size is applied by Textual whatever is said here."""
        event.refresh_styles = False
        missed, self._missed = self._missed, set()
        for topic in missed:
            self._on_topic(topic)

    def _on_topic(self, topic: Topic) -> None:
        if topic in _FREQUENT and not self.is_current:
            self._missed.add(topic)
            return
        self.query_one(Grounds).show()
        self.query_one(PlaceBar).refresh()
        self.show_topic(topic)

    def show_topic(self, topic: Topic) -> None:
        """Bring the screen up to date after something in the session changed."""
        raise NotImplementedError

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.query_one(KeyLine).is_typing = isinstance(event.widget, Input)

    def on_descendant_blur(self) -> None:
        self.query_one(KeyLine).is_typing = isinstance(self.focused, Input)

    def focus_bar(self) -> None:
        """Put the focus on the bar of places."""
        self.set_focus(self.query_one(PlaceBar))

    def go_back(self) -> bool:
        """Leave the innermost level of this place, if there is one. True if there was one."""
        if isinstance(self.focused, Input):
            self.set_focus(None)
            return True
        return False

    async def action_back(self) -> None:
        """One level back; at the first place there is none."""
        if not self.go_back() and self.place != PLACE_IDS[0]:
            await self.app.run_action(f"app.go('{neighbour(self.place, -1)}')")
