"""Being told to end: what was begun is put in order first, as for Ctrl+C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP."""


class ToldToEnd(KeyboardInterrupt):
    """A signal asks the program to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def orderly_end() -> Iterator[None]:
    """Meanwhile such a signal raises ToldToEnd in the main thread; one that comes again ends the program at once.

    A signal that is ignored, as `nohup` has it, stays so.
    """
    before: dict[int, Any] = {n: signal.getsignal(n) for n in SIGNALS if signal.getsignal(n) is signal.SIG_DFL}

    def raise_it(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        raise ToldToEnd(number)

    for number in before:
        signal.signal(number, raise_it)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_by(number: int) -> None:
    """End by the signal itself, so that whoever sent it sees that it worked."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
