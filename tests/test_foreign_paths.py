"""Names that others chose never lead out of the folder that a file is meant for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from advisor.catalog.schema import Id
from advisor.errors import InputError, NetworkError
from advisor.hub.destination import CacheDestination, FolderDestination
from advisor.hub.listing import is_repository, list_repository
from advisor.hub.ollama import ollama_files

COMMIT, SHA256 = "0" * 40, "a" * 64
HOSTILE = st.sampled_from(
    ["..", ".", "/", "\\", "//", "~", "C:", "\0", "\n", "%2e%2e", "a", "model.gguf", "-", " ", "․․", "﹒", "CON", ":"]
)
names = st.lists(st.one_of(HOSTILE, st.text(max_size=8)), min_size=1, max_size=6).map("".join) | st.lists(
    HOSTILE, min_size=1, max_size=6
).map("/".join)


def is_below(path: Path, folder: Path) -> bool:
    """By the text alone, as the system reads it, and by Windows' separators, too."""
    parts = os.path.normpath(str(path).replace("\\", "/"))
    return parts.startswith(str(folder) + os.sep)


@given(name=names)
def test_a_file_of_the_hub_lies_below_its_shelf_or_is_refused(name: str) -> None:
    cache = CacheDestination("owner/model", COMMIT, {"HF_HUB_CACHE": "/cache"})
    folder = FolderDestination(Path("/mine"), Path("/locks"))
    for destination in (cache, folder):
        try:
            target = destination.paths_of(name, SHA256)
        except NetworkError:
            continue
        places = [target.whole, target.partial, *([target.link] if target.link else [])]
        assert all(is_below(place, destination.folder) for place in places)
        assert is_below(target.lock, Path("/cache/.locks")) or is_below(target.lock, Path("/locks"))


@given(name=names)
def test_a_repository_gets_one_folder_below_the_cache_or_is_refused(name: str) -> None:
    if not is_repository(name):
        with pytest.raises(InputError):
            list_repository(None, name)  # type: ignore[arg-type]  # refused before anything is asked
        return
    destination = CacheDestination(name, COMMIT, {"HF_HUB_CACHE": "/cache"})
    assert destination.folder.parent == Path("/cache")
    assert is_below(destination.folder, Path("/cache"))


@given(name=names)
def test_an_id_of_the_catalogue_is_one_plain_file_name(name: str) -> None:
    try:
        found = TypeAdapter(Id).validate_python(name)
    except ValidationError:
        return
    assert is_below(Path("/overlay/gguf") / f"{found}.toml", Path("/overlay/gguf"))
    assert (Path("/overlay/gguf") / f"{found}.toml").parent == Path("/overlay/gguf")


@given(digest=names | names.map("sha256:".__add__) | names.map(f"sha256:{SHA256}".__add__))
def test_a_digest_in_ollamas_manifest_opens_blobs_alone(digest: str) -> None:
    with TemporaryDirectory() as name:
        store = Path(name) / "ollama"
        manifest = store / "manifests" / "registry.ollama.ai" / "library" / "m" / "latest"
        manifest.parent.mkdir(parents=True)
        (store / "blobs").mkdir()
        (store.parent / "secret.gguf").write_bytes(b"GGUF")
        (store / "blobs" / f"sha256-{SHA256}").write_bytes(b"GGUF")
        for said in (digest, f"sha256:{SHA256}"):
            layer = {"mediaType": "application/vnd.ollama.image.model", "digest": said}
            manifest.write_text(json.dumps({"layers": [layer]}), "utf-8")
            found = [path for path, _, _ in ollama_files(store, lambda said: None)]
            assert all(path.parent == store / "blobs" for path in found)
        assert len(found) == 1
