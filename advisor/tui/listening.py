"""Keys go first: work that can wait asks here whether somebody has just pressed one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

from textual import events
from textual.app import App

BREATH_S = 0.002
"""Between two pieces of work, for whatever has come meanwhile."""
QUIET_S = 0.1
"""For which a key keeps other work back: what it asked for comes first, and often another key follows."""
CALM_S = 0.5
"""The same for work of many pieces that nobody waits for. Who presses keys one by one takes less between two."""
_LOOKS_AGAIN_S = 0.025
PATIENCE_S = 1.0
"""For which what others wait for, too, lets keys go first."""


class ListeningApp(App[None]):
    """The part of the app that knows when a key was pressed."""

    _pressed = -inf

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._pressed = monotonic()
        await super().on_event(event)

    @property
    def is_answering(self) -> bool:
        """Whether a key was pressed just now. Threads may ask."""
        return self._was_pressed_within(QUIET_S)

    def _was_pressed_within(self, seconds: float) -> bool:
        return monotonic() < self._pressed + seconds

    async def let_keys_go_first(self) -> None:
        """Wait for a moment without keys, but not for long."""
        until = monotonic() + PATIENCE_S
        await self._wait(lambda: self.is_answering and monotonic() < until)

    async def wait_until_calm(self, is_wanted: Callable[[], bool] = lambda: False) -> None:
        """Wait until no key has come for a while, or until what waits is wanted now."""
        await self._wait(lambda: self._was_pressed_within(CALM_S) and not is_wanted())

    async def _wait(self, has_to: Callable[[], bool]) -> None:
        await asyncio.sleep(BREATH_S)
        while has_to():
            await asyncio.sleep(_LOOKS_AGAIN_S)
