"""Keys go first: work that can wait asks here whether somebody has just pressed one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic, sleep

from textual import events
from textual.app import App

BREATH_S = 0.002
"""Between two pieces of work, for whatever has come meanwhile."""
QUIET_S = 0.1
"""For which a key keeps other work back: what it asked for comes first, and often another key follows."""
CALM_S = 0.5
"""The same for work of many pieces that nobody waits for. Who presses keys one by one takes less between two."""
_LOOKS_AGAIN_S = 0.025
"""Between two looks whether keys still come."""
PATIENCE_S = 1.0
"""For which what others wait for, too, lets keys go first."""
DEBOUNCE_S = 0.12
"""After a key that asks for a new ranking: often another follows."""
_STANDS_BACK_S = 0.5
"""For which a thread stands still at most, whatever is pressed."""


class ListeningApp(App[None]):
    """The part of the app that knows when a key was pressed."""

    _pressed = -inf
    _key_loop: asyncio.AbstractEventLoop | None = None
    """In which keys are answered and the screens drawn."""

    def on_load(self) -> None:
        self._key_loop = asyncio.get_running_loop()

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

    def stand_back(self) -> None:
        """For threads, which take half of the time that drawing has: stand still while a key is being answered, and
        until the event loop has come round, which it does at once when it has nothing to do."""
        until = monotonic() + _STANDS_BACK_S
        while self.is_answering and monotonic() < until:
            sleep(_LOOKS_AGAIN_S)
        turn = threading.Event()
        with suppress(RuntimeError):  # the loop is closed: the program ends
            if self._key_loop is not None:
                self._key_loop.call_soon_threadsafe(turn.set)
                turn.wait(_STANDS_BACK_S)

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
