"""Presets: data that the questionnaire accepts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.catalog.presets import load_presets
from advisor.catalog.questions import load_questionnaire
from advisor.domain.answers import constraints_from
from advisor.errors import InputError

from .example import KNOWLEDGE

QUESTIONNAIRE = load_questionnaire(KNOWLEDGE)
PRESETS = load_presets(KNOWLEDGE, QUESTIONNAIRE)


def broken(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the knowledge whose presets differ in one place."""
    copy = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, copy)
    text = (copy / "presets.toml").read_text("utf-8")
    assert old in text
    (copy / "presets.toml").write_text(text.replace(old, new, 1), "utf-8")
    return copy


def test_six_needs_have_a_preset() -> None:
    assert [p.id for p in PRESETS] == [
        "private-chat", "coding", "french-chatbot", "eu-documents", "research", "agents",
    ]  # fmt: skip
    assert all(p.title and p.sentence.endswith(".") for p in PRESETS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.id)
def test_a_preset_answers_what_is_asked_and_contradicts_nothing(preset: object) -> None:
    found = next(p for p in PRESETS if p is preset)
    assert set(found.answers) <= set(QUESTIONNAIRE.keys())
    defaults = QUESTIONNAIRE.defaults()
    constraints_from({**defaults, **found.answers})
    assert any(defaults[key] != answer for key, answer in found.answers.items())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "coding"', 'kind = "cooking"', "task.kind"),
        ("context_tokens = 16384", "context_tokens = 512", "cannot hold a prompt"),
        ("eu_based = true", "eu_baste = true", "Did you mean 'use.eu_based'?"),
        ('id = "coding"', 'id = "private-chat"', "the id is taken"),
        ('id = "coding"', 'id = "Co ding"', "preset"),
        ('sentence = "', 'sentense = "', "sentence"),
    ],
)
def test_a_preset_that_cannot_be_used_is_named_with_its_file(tmp_path: Path, old: str, new: str, told: str) -> None:
    directory = broken(tmp_path, old, new)
    with pytest.raises(InputError) as caught:
        load_presets(directory, QUESTIONNAIRE)
    assert "presets.toml" in str(caught.value)
    assert told in str(caught.value)


def test_a_knowledge_directory_without_presets_has_none(tmp_path: Path) -> None:
    assert load_presets(tmp_path, QUESTIONNAIRE) == ()
