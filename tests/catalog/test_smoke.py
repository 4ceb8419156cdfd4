"""The requests of the smoke test: one in each language that a model card claims."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.catalog.smoke import load_questions
from advisor.errors import InputError

from .example import KNOWLEDGE


def test_every_language_of_a_model_card_has_a_request() -> None:
    claimed = {tag for model in load_catalogue(KNOWLEDGE).models for tag in model.languages.supported or ()}
    assert {tag.partition("-")[0] for tag in claimed} <= set(load_questions(KNOWLEDGE))


def test_requests_differ_from_each_other() -> None:
    requests = list(load_questions(KNOWLEDGE).values())
    assert len(set(requests)) == len(requests)


def test_knowledge_without_requests_has_none(tmp_path: Path) -> None:
    assert load_questions(tmp_path) == {}


@pytest.mark.parametrize(("old", "new"), [('en = "', 'english = "'), ("schema_version = 1", "schema_version = 2")])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    copy = tmp_path / "knowledge"
    copy.mkdir()
    shutil.copy(KNOWLEDGE / "smoke.toml", copy / "smoke.toml")
    text = (copy / "smoke.toml").read_text("utf-8")
    (copy / "smoke.toml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=r"smoke\.toml"):
        load_questions(copy)
