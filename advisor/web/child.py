"""In a visitor's process: what makes it one, and its end when the server is gone without a word."""

from __future__ import annotations

import os
import sys
import threading
import time

_INTERVAL_S = 0.5


def is_child() -> bool:
    """Whether this process was started for a visitor, whose browser is its terminal."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def end_with_server() -> None:
    """Leave as soon as the server does, even where it was killed."""
    server = os.getppid()

    def watch() -> None:
        _await_end(server)
        os._exit(0)

    threading.Thread(target=watch, name="server-watch", daemon=True).start()


if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE = 0x00100000
    _FOR_EVER = 0xFFFFFFFF

    def _await_end(server: int) -> None:
        """Windows names the same parent for ever, but tells of its end."""
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_SYNCHRONIZE, False, server)
        if handle:
            kernel.WaitForSingleObject(handle, _FOR_EVER)

else:

    def _await_end(server: int) -> None:
        """Elsewhere another process becomes the parent."""
        while os.getppid() == server:
            time.sleep(_INTERVAL_S)
