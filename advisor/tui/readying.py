"""What is got ready while nobody presses a key: the code that the first screen does without, and the other places.

All of it happens in the thread that draws, one small piece at a time: two threads that import at once can lock each
other out, and widgets belong to one thread anyway.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from math import inf
from time import monotonic

from textual import events
from textual.app import App

from advisor.tui.places import PlaceId
from advisor.tui.screens.place import Place

MODULES = (
    "advisor.domain.questions",
    "advisor.domain.licence",
    "advisor.domain.weights",
    "advisor.domain.footprint",
    "advisor.domain.speed",
    "advisor.domain.catalogue",
    "advisor.domain.candidate",
    "advisor.domain.recommend",
    "advisor.domain.trial.words",
    "advisor.domain.head_to_head",
    "advisor.service",
    "advisor.tui.screens.picks",
    "advisor.tui.screens.needs",
    "advisor.tui.screens.proof",
    "advisor.tui.screens.export",
    "advisor.tui.screens.what_if",
    "advisor.tui.screens.compare",
    "advisor.tui.screens.plot",
    "advisor.tui.screens.help",
    "advisor.tui.screens.leave",
    "advisor.domain.capacity.load",
    "advisor.domain.capacity.plan",
    "advisor.tui.screens.scale",
    "advisor.tui.screens.fetch",
    "advisor.tui.screens.trial",
    "advisor.tui.screens.judge",
    "advisor.tui.screens.evidence",
)
"""In an order in which each brings little that those before it did not: none takes longer than a key may wait."""
BREATH_S = 0.002
"""Between two pieces, for whatever has come meanwhile."""
QUIET_S = 0.1
"""After a key nothing is done for so long: what the key asked for comes first, and often another key follows."""
PATIENCE_S = 1.0
"""For which what others wait for, too, lets keys go first; places are not built while keys keep coming."""
ORDER: tuple[PlaceId, ...] = ("picks", "needs", "proof", "export")


class ReadyingApp(App[None]):
    """The part of the app that works ahead."""

    works_ahead = False
    """Whether places are built before anybody goes there."""
    when_settled: Callable[[], object] | None = None
    """Called once, when the first recommendation is on screen and the places are built."""
    _pressed = 0.0

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._pressed = monotonic()
        await super().on_event(event)

    @property
    def is_answering(self) -> bool:
        """Whether a key was pressed just now. Threads may ask."""
        return monotonic() < self._pressed + QUIET_S

    def in_spare_time(self, work: Coroutine[None, None, None]) -> None:
        """Do work that waits for keys of itself."""
        self.run_worker(work, group="spare time", description="spare time", exit_on_error=False)

    async def load_modules(self) -> None:
        """Import what the first screen did without."""
        for name in missing_modules():
            await self._quiet()
            import_module(name)

    async def build_places(self) -> None:
        """Build the places that nobody has visited yet."""
        for place in ORDER if self.works_ahead else ():
            await self._quiet(inf)
            await self._build(place)
        if self.when_settled is not None:
            self.when_settled()

    async def _quiet(self, patience_s: float = PATIENCE_S) -> None:
        """Wait for a moment in which nobody waits."""
        until = monotonic() + patience_s
        await asyncio.sleep(BREATH_S)
        while self.is_answering and monotonic() < until:
            await asyncio.sleep(QUIET_S / 4)

    async def _build(self, place: PlaceId) -> None:
        """Build one place behind the one on screen, with its layout, as Textual does on the first visit."""
        if place in self._screen_stacks or self._exit:
            return
        await self._init_mode(place)
        screen = self._screen_stacks[place][0]
        assert isinstance(screen, Place)
        await screen.is_complete.wait()
        if self.current_mode != place:
            # Laid out now, when its fields are there: behind another screen nothing is laid out of itself.
            screen.post_message(events.Resize(self.size, self.size))
            screen.post_message(events.ScreenSuspend())


def missing_modules() -> Iterator[str]:
    """Names of the modules that are not there yet."""
    return (name for name in MODULES if name not in sys.modules)
