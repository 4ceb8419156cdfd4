"""Being told to end by a signal: the terminal is put in order first, and the engine stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from functools import partial

from textual.app import App

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_PATIENCE_S = 5.0
"""A terminal that has gone takes no last words: after this the program ends without them."""


class EndingApp(App[None]):
    """The part of an app that ends on SIGTERM and SIGHUP as it does for its user."""

    ends_on_signals = False
    """Whether it may take the signals; not where it is a guest in another program."""
    ended_by: int | None = None
    """The signal that ended it."""

    def take_signals(self) -> None:
        """Listen for them from now on. One that is ignored, as `nohup` has it, stays so."""
        if not self.ends_on_signals or self.is_web or os.name != "posix":
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, partial(self._told_to_end, number))

    def _told_to_end(self, number: int) -> None:
        self.ended_by = number
        last = threading.Timer(_PATIENCE_S, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        self.exit()
