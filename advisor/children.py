"""Child processes: how they find this package, and how they end with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import site
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def finding_this_package(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python finds this very package, also where it is not installed."""
    root = str(Path(__file__).resolve().parents[1])
    if root in {str(Path(place).resolve()) for place in site.getsitepackages()}:
        return dict(env)
    return {**env, "PYTHONPATH": os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])}


def kill_session(child: subprocess.Popen[bytes]) -> None:
    """Kill a child that was started in a session of its own, with all it started; Windows, which has no sessions, kills
    the child alone. Does nothing where all of it has ended."""
    if sys.platform == "win32":
        child.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
