"""The fake NVML library, compiled once, and a child process that probes with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
FAKE_SOURCE = REPOSITORY / "tests" / "fakes" / "nvml" / "fake_nvml.c"

ProbeChild = Callable[..., dict[str, Any]]

_CHILD = """
import dataclasses, json, sys
from advisor.probe.nvidia import read_nvidia
print(json.dumps(dataclasses.asdict(read_nvidia(float(sys.argv[1])))))
"""


def _compiled(directory: Path, *options: str) -> Path:
    library = directory / "libnvidia-ml.so.1"
    command = ["cc", "-shared", "-fPIC", "-Wall", "-Werror", *options, "-o", str(library), str(FAKE_SOURCE)]
    subprocess.run(command, check=True)
    return directory


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the fake library."""
    return _compiled(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session")
def old_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a fake library without the functions of newer drivers."""
    return _compiled(tmp_path_factory.mktemp("old_nvml"), "-DOLD_DRIVER")


@pytest.fixture
def probe_in_child() -> ProbeChild:
    """Run the NVIDIA probe in a new process; its answer as a document."""

    def run(
        library: Path | None, behaviour: str = "", *, timeout_s: float = 10.0, log: Path | None = None
    ) -> dict[str, Any]:
        environment = {**os.environ, "FAKE_NVML": behaviour, "LD_LIBRARY_PATH": str(library or "")}
        if log is not None:
            environment["FAKE_NVML_LOG"] = str(log)
        command = [sys.executable, "-W", "error", "-c", _CHILD, str(timeout_s)]
        child = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30)
        assert (child.returncode, child.stderr) == (0, "")
        answer: dict[str, Any] = json.loads(child.stdout)
        return answer

    return run
