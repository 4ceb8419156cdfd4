"""In a browser the file goes to the visitor, under a name that a download can carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli
from textual.widgets import Input

from advisor.tui.app import AdvisorApp
from tests.tui.driving import press, started, text_of
from tests.tui.pinned import RANKED, PinnedAdvisor


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("./recommendation.toml", "recommendation.toml"),
        ("/etc/passwd", "passwd"),
        ("../../x y;ü.toml", "x_y__.toml"),
        ("~/.bashrc", "bashrc"),
        ("", "recommendation.toml"),
    ],
)
async def test_a_visitor_gets_the_file_and_the_server_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, name: str
) -> None:
    delivered: list[tuple[str, str]] = []

    def deliver(self: AdvisorApp, file: Any, *, save_filename: str, **_: Any) -> str:
        delivered.append((save_filename, file.read()))
        return "key"

    monkeypatch.setattr(AdvisorApp, "is_web", property(lambda self: True))
    monkeypatch.setattr(AdvisorApp, "deliver_text", deliver)
    async with started(PinnedAdvisor(), "2", "space", "5", folder=tmp_path) as (app, pilot):
        app.screen.query_one("#path", Input).value = typed
        await press(pilot, "ctrl+s")
        assert f"✓ downloading: {name}" in text_of(app)
        assert not app.session.has_unsaved_answers
    ((saved_as, text),) = delivered
    assert saved_as == name
    assert tomli.loads(text)["recommendation"]["model"] == RANKED[0].model.id
    assert list(tmp_path.glob("**/*.toml")) == []
