"""The picture in the README is what the program shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pictures import PLACE, picks_picture

README = Path(__file__).parents[2] / "README.md"


def test_the_picture_of_the_readme_is_up_to_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LLM_ADVISOR_CONFIG_DIR", "LLM_ADVISOR_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    assert f"docs/{PLACE.name}" in README.read_text(encoding="utf-8")
    assert picks_picture() == PLACE.read_text(encoding="utf-8"), "run: python -m docs.pictures"
