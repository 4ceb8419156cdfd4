"""Stopping what blocks: a thread that watches while something runs that looks at nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY_S = 0.05


@contextmanager
def cancelling(stop: Callable[[], None], cancel: threading.Event | None) -> Iterator[None]:
    """Call `stop` as soon as `cancel` is set, from a thread that ends with the block.

    It is called until the block ends, since the first call may come before there is anything to stop.
    """
    if cancel is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if cancel.wait(_EVERY_S):
                stop()
                done.wait(_EVERY_S)

    watcher = threading.Thread(target=watch, name="cancelling", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
