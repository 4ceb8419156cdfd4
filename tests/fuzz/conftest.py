"""Where harnesses may write in a test, and the end of what they leave running for the next input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the program may write lies below the folder of the test."""
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"LLM_ADVISOR_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(autouse=True, scope="module")
def no_child_left() -> Iterator[None]:
    yield
    from tests.fuzz.parsers.trials import end_checks

    end_checks()
