"""A catalogue entry of somebody who wants to move the cursor: every command shows it, and no terminal obeys."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.hub.conftest import ENTRY

NAME = r"Tiny \u001b[2J\u202e\u009b31m\u0007[red]Tune"
LINES = (
    ("models",), ("models", "--plain"), ("models", "--json"), ("show", "tiny-tune"), ("show", "tiny-tune", "--json"),
    ("compare", "tiny-tune", "llama-3.2-1b-instruct"), ("licence", "tiny-tune"), ("size", "tiny-tune"),
    ("speed", "tiny-tune", "--plain"), ("recommend", "--plain"), ("recommend", "--json"), ("download", "tiny-tune"),
)  # fmt: skip


def test_no_command_obeys_a_name_of_the_catalogue(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    entry = ENTRY.replace("Tiny Tune", NAME).replace("my own training run", r"run \u001b]0;x\u0007")
    (tmp_path / "models/mine.toml").write_text(entry, "utf-8")
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path))
    shown = []
    for line in LINES:
        found = cli(*line)
        shown += [line] if "[red]Tune" in found.out else []
        moving = [c for c in found.out + found.err if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
        assert not moving, line
        assert "\u202e" not in found.out + found.err, line
    assert len(shown) >= 3
