"""Being told to end by a signal: the terminal is put in order first, and the engine stopped."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from functools import partial

from textual.app import App

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_LOOK_EVERY_S = 2.0
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
        self.set_interval(_LOOK_EVERY_S, self._end_without_terminal)

    def _end_without_terminal(self) -> None:
        """A terminal that goes sends SIGHUP, but not to a program that `nohup` or a supervisor shields from it."""
        poll = select.poll()
        try:
            poll.register(0, 0)
            hung_up = any(found & select.POLLHUP for _, found in poll.poll(0))
        except OSError:
            hung_up = True
        if hung_up and self.ended_by is None:
            self._told_to_end(signal.SIGHUP)

    def _told_to_end(self, number: int) -> None:
        self.ended_by = number
        last = threading.Timer(_PATIENCE_S, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        self.exit()
