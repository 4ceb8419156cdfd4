"""Every test has directories of its own, and nothing on screen moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input


@pytest.fixture(autouse=True)
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's own directory is read or written."""
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"LLM_ADVISOR_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def still_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """No blinking cursor, no animation."""
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
