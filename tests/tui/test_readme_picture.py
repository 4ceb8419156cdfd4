"""The pictures in the README are what the program shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pictures import pictures

README = Path(__file__).parents[2] / "README.md"


def test_the_pictures_of_the_readme_are_up_to_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LLM_ADVISOR_CONFIG_DIR", "LLM_ADVISOR_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    readme = README.read_text(encoding="utf-8")
    for place, svg in pictures().items():
        assert f"docs/{place.name}" in readme
        assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
            "https://www.textualize.io", ""
        )
        assert svg == place.read_text(encoding="utf-8"), "run: python -m docs.pictures"
