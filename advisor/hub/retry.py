"""Waiting as long as a busy server asks, within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from advisor.hub.http_errors import HubBusy

T = TypeVar("T")

MAX_TRIES = 4
MAX_WAIT_S = 60.0
"""All pauses of one question together; who asks for more is told to the user, who can come back."""
FIRST_PAUSE_S = 1.0
"""Where a server does not say; doubled each time."""


class RetryPolicy:
    """Asks again where the Hub is busy."""

    def __init__(
        self, *, sleep: Callable[[float], None] = time.sleep, on_wait: Callable[[str], None] | None = None
    ) -> None:
        self._sleep = sleep
        self._on_wait = on_wait

    def ask(self, question: Callable[[], T]) -> T:
        """The answer to a question. Raises what it raises, and HubBusy when waiting any longer is too long."""
        waited = 0.0
        for n in range(1, MAX_TRIES + 1):
            try:
                return question()
            except HubBusy as busy:
                pause = FIRST_PAUSE_S * 2 ** (n - 1) if busy.retry_after_s is None else busy.retry_after_s
                if n == MAX_TRIES or waited + pause > MAX_WAIT_S:
                    raise
                if self._on_wait is not None:
                    self._on_wait(f"{busy.what}: waiting {pause:.0f} s")
                self._sleep(pause)
                waited += pause
        raise AssertionError("the last try returns or raises")
