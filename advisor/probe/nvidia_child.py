"""NVIDIA's library in a process of its own, since a sick driver can take the process that asks it along.

`python -m advisor.probe.nvidia_child SECONDS` prints what `advisor.probe.nvidia` found as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advisor.domain.hardware import Gpu, Reading

_LIBRARY = "libnvidia-ml.so.1"
_START_S = 5.0
"""For the interpreter; the driver's own time is counted by the child."""


def can_ask() -> bool:
    """Whether the driver is asked in a child, as on Linux alone."""
    return sys.platform == "linux"


def is_library_missing() -> bool:
    """Whether Linux knows no such library; elsewhere only the binding knows where to look."""
    if sys.platform != "linux":
        return False
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError:
        return True
    return False


def ask(timeout_s: float) -> dict[str, Any] | str:
    """The child's document, or in words how it ended without one."""
    command = [sys.executable, "-P", "-X", "utf8", "-m", "advisor.probe.nvidia_child", f"{timeout_s:g}"]
    places = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    try:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s + _START_S, check=False
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"the driver did not answer within {timeout_s:g} s"
    except OSError as error:
        return f"no process to ask it in could be started: {error.strerror}"
    except ValueError:
        code = done.returncode
        return f"the driver's library crashed ({f'signal {-code}' if code < 0 else f'exit code {code}'})"
    return found


def gpus_of(document: dict[str, Any]) -> tuple[Gpu, ...]:
    """The GPUs of a document."""
    return tuple([_gpu(raw) for raw in document["gpus"]])


def _gpu(raw: dict[str, Any]) -> Gpu:
    fields: dict[str, Any] = {name: Reading(**v) if isinstance(v, dict) else v for name, v in raw.items()}
    return Gpu(**fields)


def main() -> None:
    """Ask and print; a thread that hangs in the driver ends with the process."""
    from advisor.probe.nvidia import read_here

    print(json.dumps(asdict(read_here(float(sys.argv[1])))), flush=True)  # noqa: T201 - the parent reads it
    os._exit(0)


if __name__ == "__main__":
    main()
