"""Where runs of the engine lie meanwhile, and how they are stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from advisor import paths
from advisor.engine.protocol import Event
from advisor.errors import InputError

OnEvent = Callable[[Event], None]


def scratch_root() -> Path:
    """Beside the caches and not in the system's temporary directory, which is often held in memory."""
    folder = paths.cache_dir() / "scratch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        hint = "Point LLM_ADVISOR_CACHE_DIR at a directory that can be written."
        raise InputError(f"{folder} cannot be made", why=why, hint=hint) from error
    return folder


@contextmanager
def cancelling(stop: Callable[[], None], cancel: threading.Event | None) -> Iterator[None]:
    """Call `stop` as soon as `cancel` is set, from a thread that ends with the block."""
    if cancel is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if cancel.wait(0.05):
                stop()

    watcher = threading.Thread(target=watch, name="cancel-smoke", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
