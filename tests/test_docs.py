"""The examples of docs/ do what the text beside them says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from advisor.service import Advisor
from tests.cli.running import check_parses

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


def commands_of_the_pages() -> list[str]:
    pages = [*DOCS.glob("*.md"), DOCS.parent / "SECURITY.md", DOCS.parent / "benchmarks/README.md"]
    line = re.compile(r"^(?:\$ )?(llm-advisor .*)$", re.MULTILINE)
    found = [line.findall(path.read_text("utf-8")) for path in sorted(pages) if path.name != "cli.md"]
    return list(dict.fromkeys(command for commands in found for command in commands))


@pytest.mark.parametrize("line", commands_of_the_pages())
def test_a_command_of_the_pages_parses(line: str) -> None:
    check_parses(line)


def test_the_pages_show_commands() -> None:
    assert len(commands_of_the_pages()) > 30
