"""The seal: what it spares, and that it spares nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.catalog.sealed import SEAL, KnowledgeReader, seal, sealable, write_seal
from advisor.errors import InputError

from .example import KNOWLEDGE, replace, write_example


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return write_example(tmp_path)


def test_the_shipped_seal_vouches_for_the_shipped_files() -> None:
    advice = "after a change in knowledge/, call advisor.catalog.sealed.write_seal(directory)"
    assert (KNOWLEDGE / SEAL).read_text("utf-8") == seal(KNOWLEDGE), advice


def test_a_seal_names_every_sealable_file_as_sha256sum_does(tmp_path: Path, model_file: Path) -> None:
    write_seal(tmp_path)
    names = [line.split("  ")[1] for line in (tmp_path / SEAL).read_text("utf-8").splitlines()]
    own = ["gguf/tiny.toml", "languages.toml", "models/llama/tiny.toml", "quality.toml", "quantizations.toml"]
    own.append("speed.toml")
    assert names == sorted(own + [f"licences/{path.name}" for path in (tmp_path / "licences").iterdir()])
    done = subprocess.run(["sha256sum", "--check", "--quiet", SEAL], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_bad_file_cannot_be_sealed(tmp_path: Path, model_file: Path) -> None:
    replace(model_file, "n_layers = { value = 2,", "n_layers = { value = 0,")
    with pytest.raises(InputError, match=r"shape\.n_layers"):
        write_seal(tmp_path)
    assert not (tmp_path / SEAL).exists()


def test_a_file_changed_after_sealing_is_validated(tmp_path: Path, model_file: Path) -> None:
    write_seal(tmp_path)
    replace(model_file, "n_layers = { value = 2,", "n_layers = { value = 0,")
    with pytest.raises(InputError, match=r"shape\.n_layers"):
        load_catalogue(tmp_path)


def test_a_file_added_after_sealing_is_validated(tmp_path: Path, model_file: Path) -> None:
    write_seal(tmp_path)
    added = model_file.with_name("added.toml")
    added.write_text("schema_version = 1\n", "utf-8")
    with pytest.raises(InputError, match=r"added\.toml: sources: the key is missing"):
        load_catalogue(tmp_path)


def test_what_is_sealed_loads_as_what_is_not(tmp_path: Path, model_file: Path) -> None:
    before = load_catalogue(tmp_path)
    write_seal(tmp_path)
    assert load_catalogue(tmp_path) == before


def test_loading_the_shipped_knowledge_needs_no_pydantic() -> None:
    program = f"""
import sys
from pathlib import Path
from advisor.catalog.loader import load_catalogue, load_gguf_files, load_languages
directory = Path({str(KNOWLEDGE)!r})
catalogue = load_catalogue(directory)
files = [file for model in catalogue.models for file in load_gguf_files(directory, model.id)]
print(len(catalogue.models), len(files), len(load_languages(directory).languages), "pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *counts, has_pydantic = done.stdout.split()
    assert all(int(count) > 0 for count in counts)
    assert has_pydantic == "False"


def test_a_licence_changed_after_sealing_is_validated(tmp_path: Path, model_file: Path) -> None:
    write_seal(tmp_path)
    path = tmp_path / "licences/llama4.toml"
    path.write_text("no_such_key = 1\n" + path.read_text("utf-8"), "utf-8")
    with pytest.raises(InputError, match="no_such_key"):
        load_catalogue(tmp_path)


def test_a_directory_without_a_seal_is_validated(tmp_path: Path, model_file: Path) -> None:
    replace(tmp_path / "languages.toml", 'tag = "de"', 'tag = "German"')
    path = tmp_path / "languages.toml"
    with pytest.raises(InputError, match=r"language\[German\]\.tag"):
        KnowledgeReader(tmp_path).read(path, "languages")


def test_every_shipped_file_of_a_sealable_kind_is_sealable() -> None:
    shipped = {path for name in ("models", "gguf", "licences") for path in (KNOWLEDGE / name).rglob("*.toml")}
    assert shipped <= {path for path, _ in sealable(KNOWLEDGE)}


def test_a_seal_that_is_no_text_vouches_for_nothing(tmp_path: Path, model_file: Path) -> None:
    write_seal(tmp_path)
    (tmp_path / SEAL).write_bytes(b"\xff\xfe" + (tmp_path / SEAL).read_bytes().replace(b"  ", b"\xff"))
    replace(model_file, "n_layers = { value = 2,", "n_layers = { value = 0,")
    with pytest.raises(InputError, match=r"shape\.n_layers"):
        load_catalogue(tmp_path)
