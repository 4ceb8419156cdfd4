"""A Hub with one file, and a cache of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.local_files.downloading import Meter
from tests.cli.running import Cli
from tests.hub.conftest import REPO
from tests.hub.fetching import (
    Q4,
    Disk,
    mini_gguf,
)
from tests.hub.server import HubServer, Repo


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A Hugging Face cache, caches and state of the test's own."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(tmp_path / "state"))
    return Disk(tmp_path / "hf")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(REPO, {"README.md": b"# Tiny Tune", Q4: mini_gguf(tmp_path)})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between connections are noted, not waited for; a cancellation still ends them."""
    pauses: list[float] = []

    def pause(meter: Meter, seconds: float) -> None:
        pauses.append(seconds)
        meter.stop_if_cancelled()

    monkeypatch.setattr("advisor.local_files.downloading.Meter.pause", pause)
    return pauses


@pytest.fixture
def listed(cli: Cli, hub: HubServer, disk: Disk, repo: Repo) -> HubServer:
    """The Hub, after the catalogue learned what it lists."""
    assert cli("catalog", "refresh", "tiny-tune").code == 0
    hub.asked.clear()
    return hub
