"""What is got ready while nobody presses a key: the code that the first screen does without, and the other places.

All of it happens in the thread that draws, one small piece at a time: two threads that import at once can lock each
other out, and widgets belong to one thread anyway.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module

from textual import events

from advisor.tui.listening import ListeningApp
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
ORDER: tuple[PlaceId, ...] = ("picks", "proof", "needs", "export")


class PreloadingApp(ListeningApp):
    """The part of the app that works ahead."""

    works_ahead = False
    """Whether places are built before anybody goes there."""
    when_built: Callable[[], object] | None = None
    """Called when something is there that stays to the end: the first recommendation, and each place."""
    is_settled = False
    """Whether all places are there."""

    def in_spare_time(self, work: Coroutine[None, None, None]) -> None:
        """Do work that waits for keys of itself."""
        self.run_worker(work, group="spare time", description="spare time", exit_on_error=False)

    async def load_modules(self) -> None:
        """Import what the first screen did without."""
        for name in missing_modules():
            await self.let_keys_go_first()
            import_module(name)

    async def build_places(self) -> None:
        """Build the places that nobody has visited yet."""
        self._say_it_is_built()
        for place in ORDER if self.works_ahead else ():
            await self.wait_until_calm()
            await self._build(place)
            self._say_it_is_built()
        self.is_settled = True

    def _say_it_is_built(self) -> None:
        if self.when_built is not None:
            self.when_built()

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
