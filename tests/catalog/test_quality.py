from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.catalog.quality import load_quality
from advisor.errors import InputError
from tests.catalog.example import KNOWLEDGE


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(KNOWLEDGE / "quality.toml", tmp_path / "quality.toml"))


def test_the_scale_has_every_model_of_the_catalogue() -> None:
    catalogue = load_catalogue(KNOWLEDGE)
    assert {model.id for model in catalogue.models} == set(catalogue.quality.models)


def test_lines_with_a_measured_series_are_lines_of_the_catalogue() -> None:
    catalogue = load_catalogue(KNOWLEDGE)
    assert set(catalogue.quality.losses.lines) <= {model.line for model in catalogue.models}


def test_what_was_not_sealed_is_validated(copy: Path) -> None:
    assert load_quality(copy.parent) == load_quality(KNOWLEDGE)
    copy.write_text(copy.read_text().replace("size_exponent = -", "size_exponent = "))
    with pytest.raises(InputError, match="size_exponent"):
        load_quality(copy.parent)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('tasks = ["chat", ', 'tasks = ["chat", "singing", ', "one value for each of the 9 tasks"),
        ('"llama-2" = "llama-2"', '"llama-2" = "llama-9"', "llama-9"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ("n_results = 9\n", "n_results = -9\n", "n_results"),
    ],
)
def test_a_broken_file_is_told_where(copy: Path, old: str, new: str, complaint: str) -> None:
    text = copy.read_text()
    assert old in text
    copy.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=complaint):
        load_quality(copy.parent)
