"""A child that does not outlive the program, nor hold it up."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""
_NICENESS = 10
"""Steps below the program: of a core that both want, its screens get nine tenths and not half. On a free one nothing
is slower."""


def die_with_parent(parent: int) -> None:
    """Let Linux kill this process with the thread that made it; elsewhere a child watches its input for that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before the signal was armed


def give_way() -> None:
    """Let everything else go first, above all the screens, which need a core for moments only. Windows has no steps."""
    if sys.platform != "win32":
        os.nice(_NICENESS)
