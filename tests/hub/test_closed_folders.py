"""Folders that belong to another user, as Ollama's store often does, and homes of nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.errors import InputError
from advisor.files import is_there, write_atomically
from advisor.hub.model_folders import ModelFolder, model_folders
from advisor.hub.scanning import Search
from advisor.service import Advisor
from tests.hub.test_files import mistral, ollama
from tests.ordinary_user import closed, enterable_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with enterable_folder() as made:
        yield made


def test_stores_that_are_closed_to_this_user_hold_nothing(folder: Path) -> None:
    store, hub = folder / "ollama", folder / "hub"
    ollama(store / "models", "library/good/1", mistral(folder / "made.gguf"))
    mistral(hub / "models--a--b/snapshots/0/x.gguf")
    folders = (
        ModelFolder("Ollama", store / "models", "ollama"),
        ModelFolder("Hugging Face cache", hub, "hub"),
        ModelFolder("your folder", store / "mine"),
    )
    search = Search()
    with closed(store, hub / "models--a--b"):
        assert list(search.files(folders)) == []
    assert search.notes == [f"{store / 'mine'} is no folder"]


def test_blobs_that_are_closed_to_this_user_are_not_there(folder: Path) -> None:
    ollama(folder / "store", "library/good/1", mistral(folder / "made.gguf"))
    search = Search()
    with closed(folder / "store/blobs"):
        assert list(search.files([ModelFolder("Ollama", folder / "store", "ollama")])) == []
    assert ["names a file that is not there" in note for note in search.notes] == [True]


def test_own_entries_that_are_closed_to_this_user_are_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(folder / "closed/config"))
    (folder / "closed").mkdir()
    advisor = Advisor()
    assert advisor.catalogue.models  # what reads the overlay is imported now
    with closed(folder / "closed"):
        assert advisor.with_own_entries(advisor.catalogue, advisor.knowledge) is advisor.catalogue
        advisor._files_basis()


def test_a_closed_folder_takes_no_file_and_is_named(folder: Path) -> None:
    (folder / "closed").mkdir()
    place = folder / "closed" / "rec.toml"
    with closed(folder / "closed"), pytest.raises(InputError, match="Permission denied") as caught:
        write_atomically(place, "x", overwrite=False)
    assert str(place) in caught.value.what
    assert not is_there(place)


def test_a_home_of_nobody_is_a_folder_that_is_not_there() -> None:
    name = "~nobody-of-that-name/models"
    folders = model_folders(environ={"LLM_ADVISOR_MODELS_DIR": name, "HF_HOME": "~nobody-of-that-name"})
    search = Search()
    assert list(search.files(place for place in folders if "nobody" in str(place.folder))) == []
    assert search.notes == [f"{name} is no folder"]
