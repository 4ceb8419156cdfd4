"""Every test runs in a home of its own: nothing of the developer's machine is read or left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.shared import smollm2 as located_smollm2
from tests.cli.running import Cli

_TOGETHER = "tests/cluster/"
"""Files that share something expensive, here one Ray cluster, run in one process of `pytest -n`."""


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for the whole run, so that what the engine is asked once is remembered."""
    home = tmp_path_factory.mktemp("home")
    set_to = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "HF_HOME": str(home / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "LLM_ADVISOR_CONFIG_DIR": str(home / "advisor-config"),
        "LLM_ADVISOR_CACHE_DIR": str(home / "advisor-cache"),
        "LLM_ADVISOR_STATE_DIR": str(home / "advisor-state"),
        "TEXTUAL_ANIMATIONS": "none",
        # Threads of llama.cpp that wait for each other rest meanwhile: where others compute too, spinning takes ages.
        "OMP_WAIT_POLICY": "passive",
    }
    before = {name: os.environ.get(name) for name in set_to}
    os.environ.update(set_to)
    yield home
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line inside this process."""
    return Cli(capsys)


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """Real weights of the Llama architecture."""
    return located_smollm2()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files for each process of `pytest -n`, so that what a module sets up is set up once."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist is untyped for mypy
        def _split_scope(self, nodeid: str) -> str:
            return _TOGETHER if nodeid.startswith(_TOGETHER) else str(super()._split_scope(nodeid))

    return ByFile(config, log)
