"""NVIDIA's library in a process of its own, since a sick driver can take the process that asks it along.

`python -m advisor.probe.nvidia_child SECONDS` prints what `advisor.probe.nvidia` found as JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from advisor.children import finding_this_package
from advisor.domain.hardware import Gpu, Reading
from advisor.probe.nvml import within

_LIBRARY = "libnvidia-ml.so.1"
_START_S = 5.0
"""For the interpreter; the driver's own time is counted by the child."""
_END_S = 2.0
"""For a child that has answered, or was killed, to end."""


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
    try:
        child = subprocess.Popen(
            command,
            env=finding_this_package(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        return f"no process to ask it in could be started: {error.strerror}"
    answer = within(timeout_s + _START_S, cast(BinaryIO, child.stdout).readline)
    child.kill()
    # One that hangs in the kernel does not even die; it ends when the driver lets go of it.
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_END_S)
    if answer is None:
        return f"the driver did not answer within {timeout_s:g} s"
    cast(BinaryIO, child.stdout).close()
    try:
        found: dict[str, Any] = json.loads(answer.value or b"")
    except ValueError:
        return f"the driver's library crashed ({_ending(child.returncode)})"
    return found


def _ending(code: int | None) -> str:
    if code is None:
        return "its process hangs"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


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
