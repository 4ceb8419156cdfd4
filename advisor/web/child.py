"""In a visitor's process: what makes it one, and its end when the server is gone without a word."""

from __future__ import annotations

import os
import threading
import time

_INTERVAL_S = 0.5


def is_child() -> bool:
    """Whether this process was started for a visitor, whose browser is its terminal."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def end_with_server() -> None:
    """Leave as soon as the server does, even where it was killed: then another process becomes the parent."""
    server = os.getppid()

    def watch() -> None:
        while os.getppid() == server:
            time.sleep(_INTERVAL_S)
        os._exit(0)

    threading.Thread(target=watch, name="server-watch", daemon=True).start()
