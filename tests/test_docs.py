"""The examples of docs/ do what the text beside them says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from advisor.service import Advisor

DOCS = Path(__file__).parent.parent / "docs"
BLOCKS = re.findall(r"```toml\n(.*?)```", (DOCS / "catalogue.md").read_text("utf-8"), re.DOTALL)
HEAD = 'schema_version = 1\n[sources]\nmine = { text = "mine", checked = "2026-11-20" }\n'
TODAY = date(2026, 11, 28)


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models/acme.toml"


def test_the_example_of_a_fine_tune_is_valid_and_can_be_recommended(overlay: Path) -> None:
    overlay.write_text(BLOCKS[0], "utf-8")
    advisor = Advisor()
    assert advisor.validate_catalogue(TODAY, use_engine=False).findings == ()
    mine, base = advisor.model("acme-support-8b"), advisor.model("llama-3.1-8b-instruct")
    assert (mine.shape, mine.licence) == (base.shape, base.licence)
    assert (mine.languages.supported, mine.benchmarks) == (("de", "fr"), ())
    answers = advisor.answers(settings=['languages.required=["de"]'])
    found = advisor.recommend(advisor.machine(), advisor.constraints(answers), named=[mine.id])
    judged = {c.model.id for c in found.quantizations} | {r.model.id for r in found.rejected}
    assert mine.id in judged


def test_the_other_examples_are_valid_too(overlay: Path) -> None:
    _, benchmark, vocabulary, correction = BLOCKS
    overlay.write_text(BLOCKS[0] + benchmark + vocabulary, "utf-8")
    (overlay.parent / "correction.toml").write_text(HEAD + correction, "utf-8")
    advisor = Advisor()
    assert advisor.validate_catalogue(TODAY, use_engine=False).findings == ()
    mine = advisor.model("acme-support-8b")
    assert mine.shape is not None
    assert mine.shape.vocab_size == 128258
    assert [b.score for b in mine.benchmarks] == [68.9]
    assert advisor.model("mistral-7b-instruct-v0.2").languages.supported == ("en",)


@pytest.mark.parametrize("page", ["catalogue.md", "files.md", "cluster.md", "trial.md"])
def test_commands_of_the_text_exist(page: str) -> None:
    import click

    from advisor.cli.main import cli

    text = (DOCS / page).read_text("utf-8")
    for line in re.findall(r"^llm-advisor (.*?)\s*#", text, re.MULTILINE):
        name, *rest = line.split()
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        if isinstance(command, click.Group):
            assert command.get_command(click.Context(command), rest[0]) is not None
