"""`files`: what lies in the stores of other programs, and which model each file is."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from advisor.domain.blueprint import Blueprint, MetadataValue
from advisor.domain.header import FILE_TYPES
from advisor.domain.weights import blueprint
from advisor.gguf.writer import write_sparse
from advisor.service import Advisor
from tests.cli.running import Cli
from tests.gguf.making import STRING, Made, Row, llama_blueprint, pair, string
from tests.gguf.test_split import write_parts
from tests.hub.fetching import SMOL_ENTRY

MISTRAL = "mistral-7b-instruct-v0.3"
TOKENS: dict[str, MetadataValue] = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ("a", "b")}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where nothing lies yet."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / ".cache"))
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "LLAMA_CACHE", "LLM_ADVISOR_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def mistral(path: Path, quantization: str = "Q4_K_M", *, tokens: bool = True, name: str | None = None) -> Path:
    """Mistral 7B's own tensor table without weights: 4 GB that take a few kilobytes."""
    made = blueprint(Advisor().model(MISTRAL), quantization)
    number = {"Q4_K_M": 15, "Q8_0": 7}[quantization]
    metadata = {**made.metadata, "general.file_type": number, **(TOKENS if tokens else {})}
    if name is not None:
        metadata["general.name"] = name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sparse(Blueprint(metadata, made.tensors), path)
    return path


def found(cli: Cli, *arguments: object) -> dict[str, dict[str, Any]]:
    """Files by the name of their path."""
    outcome = cli("files", "--json", *arguments)
    assert outcome.code == 0, outcome.err
    return {Path(file["path"]).name: file for file in outcome.document["files"]}


def ollama(store: Path, tag: str, content: Path, kind: str = "model") -> Path:
    digest = sha256(str(content).encode()).hexdigest()
    blob = store / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    content.rename(blob)
    manifest = store / "manifests/registry.ollama.ai" / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layer = {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}", "size": 1}
    template = {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{'0' * 64}", "size": 1}
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [template, layer]}), "utf-8")
    return blob


def test_each_programs_store_is_looked_through(cli: Cli, home: Path, tmp_path: Path) -> None:
    name = "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf"
    mistral(home / ".lmstudio/models/lmstudio-community/Mistral-7B-Instruct-v0.3-GGUF" / name)
    mistral(home / ".cache/lm-studio/models/a/b/Mistral-7B-Instruct-v0.3.Q8_0.gguf", "Q8_0")
    mistral(home / ".cache/llama.cpp" / f"bartowski_Mistral-7B-Instruct-v0.3-GGUF_{name}")
    snapshot = home / ".cache/huggingface/hub/models--me--Mistral-7B-Instruct-v0.3-GGUF/snapshots/abc"
    blob = mistral(snapshot.parent.parent / "blobs" / ("ab" * 32))
    snapshot.mkdir(parents=True)
    (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    made = mistral(tmp_path / "made.gguf", name="Mistral 7B Instruct v0.3")
    held = ollama(home / ".ollama/models", "library/mistral/7b", made)
    files = cli("files", "--json").document["files"]
    assert {(f["place"], f["label"]) for f in files} == {
        ("LM Studio", name),
        ("LM Studio", "Mistral-7B-Instruct-v0.3.Q8_0.gguf"),
        ("llama.cpp cache", f"bartowski_Mistral-7B-Instruct-v0.3-GGUF_{name}"),
        ("Hugging Face cache", f"me/Mistral-7B-Instruct-v0.3-GGUF/{name}"),
        ("Ollama", "mistral:7b"),
    }
    assert {f["match"]["model"] for f in files} == {MISTRAL}
    by_place = {f["place"]: f for f in files}
    assert by_place["Ollama"]["path"] == str(held)
    assert by_place["Ollama"]["sha256"] == [held.name.removeprefix("sha256-")]
    assert by_place["Hugging Face cache"]["sha256"] == ["ab" * 32]
    assert {f["hash_basis"] for f in files} == {None, "stated"}


def test_environment_variables_move_the_stores(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        mistral(tmp_path / name / f"{name}.gguf")
    monkeypatch.setenv("LLAMA_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("LLM_ADVISOR_MODELS_DIR", str(tmp_path / "b"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    ollama(tmp_path / "ollama", "library/m/latest", mistral(tmp_path / "made.gguf"))
    snapshot = tmp_path / "hub/models--me--x/snapshots/abc"
    mistral(snapshot / "sub/x.gguf")
    files = cli("files", "--json", "--models-dir", tmp_path / "c").document["files"]
    assert {(f["place"], f["label"]) for f in files} == {
        ("llama.cpp cache", "a.gguf"),
        ("your folder", "b.gguf"),
        ("your folder", "c.gguf"),
        ("Ollama", "m:latest"),
        ("Hugging Face cache", "me/x/sub/x.gguf"),
    }


def test_a_header_tells_architecture_bytes_quantization_and_tokenizer(cli: Cli, tmp_path: Path) -> None:
    mistral(tmp_path / "m/Mistral-7B-Instruct-v0.3.Q8_0.gguf", "Q8_0", tokens=False)
    file = found(cli, "--models-dir", tmp_path / "m")["Mistral-7B-Instruct-v0.3.Q8_0.gguf"]
    assert (file["kind"], file["architecture"], file["quantization"]) == ("model", "llama", "Q8_0")
    assert file["tensor_bytes"] == blueprint(Advisor().model(MISTRAL), "Q8_0").tensor_bytes
    assert file["has_tokenizer"] is False
    assert file["match"] == {
        "model": MISTRAL, "quantization": "Q8_0", "evidence": "name and shape", "repo": None,
    }  # fmt: skip


def test_a_fine_tune_is_not_taken_for_its_base(cli: Cli, tmp_path: Path) -> None:
    for name in ("Hermes-2-Pro-Mistral-7B.Q4_K_M.gguf", "Mistral-7B-Instruct-v0.3-abliterated-Q4_K_M.gguf"):
        mistral(tmp_path / "m" / name, name="Mistral 7B Instruct v0.3")
    files = found(cli, "--models-dir", tmp_path / "m")
    for file in files.values():
        assert file["match"] is None
        assert MISTRAL in file["alike"]
        assert "perhaps it was tuned from one" in file["reason"]


def test_a_publishers_own_mixture_is_no_plain_quantization(cli: Cli, tmp_path: Path) -> None:
    mistral(tmp_path / "m/Mistral-7B-Instruct-v0.3-UD-Q4_K_XL.gguf")
    (file,) = found(cli, "--models-dir", tmp_path / "m").values()
    assert file["match"]["quantization"] == "UD-Q4_K_XL"
    assert Advisor().file_here(MISTRAL, "Q4_K_M", [tmp_path / "m"]) is None


def test_what_is_no_model_is_told_as_what_it_is(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    arch = pair("general.architecture", STRING, string("clip"))
    (folder / "mmproj-model-f16.gguf").write_bytes(Made([arch]).encode())
    adapter = [pair("general.architecture", STRING, string("llama")), pair("general.type", STRING, string("adapter"))]
    (folder / "lora.gguf").write_bytes(Made(adapter).encode())
    (folder / "vocab.gguf").write_bytes(Made(rows=[], data_bytes=0).encode())
    (folder / "other.gguf").write_bytes(Made([pair("general.architecture", STRING, string("gemma3"))]).encode())
    (folder / "empty.gguf").write_bytes(b"")
    (folder / "page.gguf").write_bytes(b"<!DOCTYPE html><html>not found</html>")
    (folder / "cut.gguf").write_bytes(Made(rows=[Row(shape=(32, 200))], data_bytes=0).encode())
    (folder / "liar.gguf").write_bytes(Made(n_tensors=1 << 60).encode())
    files = found(cli, "--models-dir", folder)
    assert {name: f["kind"] for name, f in files.items()} == {
        "mmproj-model-f16.gguf": "projector",
        "lora.gguf": "adapter",
        "vocab.gguf": "vocabulary",
        "other.gguf": "model",
        "empty.gguf": "unusable",
        "page.gguf": "unusable",
        "cut.gguf": "unusable",
        "liar.gguf": "unusable",
    }
    assert all(f["reason"] and f["match"] is None for f in files.values())
    assert "projector" in files["mmproj-model-f16.gguf"]["reason"]
    assert "gemma3" in files["other.gguf"]["reason"]
    assert "missing" in files["cut.gguf"]["reason"]
    assert "web page" in files["page.gguf"]["reason"]


def test_split_files_are_one_model_and_a_missing_part_is_named(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    write_parts(folder, llama_blueprint(), 3)
    (file,) = found(cli, "--models-dir", folder).values()
    assert (file["n_parts"], file["tensor_bytes"]) == (3, llama_blueprint().tensor_bytes)
    (folder / "model-00002-of-00003.gguf").unlink()
    files = found(cli, "--models-dir", folder)
    assert {f["kind"] for f in files.values()} == {"unusable"}
    assert "model-00002-of-00003.gguf" in files["model-00001-of-00003.gguf"]["reason"]


def test_hashes_are_computed_when_asked_for_remembered_and_renewed(cli: Cli, tmp_path: Path, smollm2: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    copy = folder / "anything.gguf"
    shutil.copyfile(smollm2, copy)
    config = tmp_path / "config"
    (config / "models").mkdir(parents=True)
    (config / "gguf").mkdir()
    (config / "models/mine.toml").write_text(SMOL_ENTRY, "utf-8")
    digest = sha256(smollm2.read_bytes()).hexdigest()
    (config / "gguf/smollm2-135m-instruct.toml").write_text(_row(digest, smollm2.stat().st_size), "utf-8")
    assert found(cli, "--models-dir", folder)["anything.gguf"]["match"] is None
    file = found(cli, "--models-dir", folder, "--hash")["anything.gguf"]
    assert (file["sha256"], file["hash_basis"]) == ([digest], "computed")
    assert (file["match"]["model"], file["match"]["evidence"]) == ("smollm2-135m-instruct", "hash")
    assert found(cli, "--models-dir", folder)["anything.gguf"] == file
    with copy.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\xff")
    os.utime(copy, ns=(1, 1))
    changed = found(cli, "--models-dir", folder)["anything.gguf"]
    assert (changed["sha256"], changed["match"]) == ([], None)
    assert found(cli, "--models-dir", folder, "--hash")["anything.gguf"]["sha256"] != [digest]


def _row(digest: str, n_bytes: int) -> str:
    return f"""schema_version = 1
[sources]
mine = {{ text = "mine", checked = "2026-11-20" }}
[[file]]
model = "smollm2-135m-instruct"
repo = "example/SmolLM2-GGUF"
file = "SmolLM2-135M-Instruct-Q4_1.gguf"
quantization = "Q4_1"
n_parts = 1
n_bytes = {n_bytes}
sha256 = ["{digest}"]
source = "mine"
"""


def test_a_published_file_is_known_by_name_and_exact_size(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "m/Anything-Q4_0.gguf"
    path.parent.mkdir()
    write_sparse(llama_blueprint(), path)
    (tmp_path / "config/gguf").mkdir(parents=True)
    text = _row("0" * 64, path.stat().st_size).replace("smollm2-135m-instruct", MISTRAL)
    row = text.replace("SmolLM2-135M-Instruct-Q4_1", "anything-q4_0").replace('"Q4_1"', '"Q4_0"')
    (tmp_path / f"config/gguf/{MISTRAL}.toml").write_text(row, "utf-8")
    (file,) = found(cli, "--models-dir", tmp_path / "m").values()
    assert (file["match"]["model"], file["match"]["evidence"]) == (MISTRAL, "published file")
    # Another hash than the published file's contradicts the name.
    (file,) = found(cli, "--models-dir", tmp_path / "m", "--hash").values()
    assert file["match"] is None


def test_loops_and_links_give_each_file_once(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    path = mistral(folder / "deep/x.gguf")
    (folder / "loop").symlink_to(folder)
    (folder / "deep/up").symlink_to("..")
    (folder / "self.gguf").symlink_to("self.gguf")
    (folder / "nowhere.gguf").symlink_to("missing.gguf")
    (folder / "again.gguf").hardlink_to(path)
    os.mkfifo(folder / "pipe.gguf")
    outcome = cli("files", "--json", "--models-dir", folder)
    assert outcome.code == 0
    assert len(outcome.document["files"]) == 1


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_found(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    mistral(folder / "b/x.gguf")
    (folder / "a").mkdir()
    (folder / "a").chmod(0)
    if os.access(folder / "a", os.R_OK):  # nothing is closed to root
        scandir = os.scandir

        def refuse(path: Any) -> Any:
            if not stat.S_IMODE(os.stat(path).st_mode):
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr("advisor.hub.scanning.os.scandir", refuse)
    outcome = cli("files", "--json", "--models-dir", folder, "--models-dir", tmp_path / "gone")
    (folder / "a").chmod(0o700)
    assert len(outcome.document["files"]) == 1
    assert outcome.document["notes"] == [
        f"{folder / 'a'} cannot be read: Permission denied", f"{tmp_path / 'gone'} is no folder",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"layers": 3}', '{"layers": [1]}', '{"layers": [{"mediaType": [], "digest": {}}]}', "[" * 100_000],
)
def test_a_broken_manifest_of_ollama_is_passed_over(cli: Cli, home: Path, tmp_path: Path, text: str) -> None:
    store = home / ".ollama/models"
    ollama(store, "library/good/1", mistral(tmp_path / "made.gguf"))
    bad = store / "manifests/registry.ollama.ai/library/bad/1"
    bad.parent.mkdir()
    bad.write_text(text, "utf-8")
    outcome = cli("files", "--json")
    assert [f["label"] for f in outcome.document["files"]] == ["good:1"]


def test_a_manifest_leads_to_no_file_outside_the_store(cli: Cli, home: Path, tmp_path: Path) -> None:
    store = home / ".ollama/models"
    outside = mistral(tmp_path / "secret.gguf")
    manifest = store / "manifests/registry.ollama.ai/library/evil/1"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"../../../{outside.name}"}
    gone = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{'1' * 64}"}
    manifest.write_text(json.dumps({"layers": [layer, gone]}), "utf-8")
    document = cli("files", "--json").document
    assert document["files"] == []
    assert document["notes"] == ["Ollama's evil:1 names a file that is not there: sha256-111111111111…"]


def test_the_search_ends_after_so_many_files_and_says_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.hub.scanning.MAX_FILES", 100)
    for i in range(2):
        folder = tmp_path / f"m/{i}"
        folder.mkdir(parents=True)
        for n in range(51):
            (folder / f"{n}.gguf").write_bytes(Made().encode())
    outcome = cli("files", "--json", "--models-dir", tmp_path / "m")
    assert len(outcome.document["files"]) == 100
    assert outcome.document["notes"] == ["the search ended after 100 GGUF files; name a smaller folder"]


def test_foreign_text_stays_text(cli: Cli, home: Path, tmp_path: Path) -> None:
    name = "[red]\x1b[2Jevil\u202e.gguf"
    mistral(tmp_path / "m" / name)
    for option in ((), ("--plain",)):
        outcome = cli("files", "--models-dir", tmp_path / "m", *option)
        assert outcome.code == 0
        assert "\x1b" not in outcome.out
        assert "\u202e" not in outcome.out
        assert "[red]" in outcome.out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_names_that_are_no_text_are_listed_and_matched(cli: Cli, tmp_path: Path) -> None:
    path = mistral(tmp_path / os.fsdecode(b"m/\xff/Mistral-7B-Instruct-v0.3-Q4_K_M.gguf"))
    for option in ("--json", "--plain"):
        outcome = cli("files", "--models-dir", tmp_path / "m", option)
        assert outcome.code == 0, outcome.err
        assert MISTRAL in outcome.out
        assert "\\udcff" in outcome.out
    here = Advisor().file_here(MISTRAL, "Q4_K_M", [tmp_path / "m"])
    assert here is not None
    assert Path(here.path) == path


def test_nothing_at_all_says_where_it_looked(cli: Cli, home: Path) -> None:
    outcome = cli("files")
    assert outcome.code == 0
    assert str(home / ".lmstudio/models") in outcome.err
    assert cli("files", "--plain").out == "model\tquant\tsize\thow known\tplace\tpath\n"


def test_a_recommendation_says_what_is_already_here(cli: Cli, tmp_path: Path) -> None:
    machine = ("--gpu", "none", "--ram", "16GiB")
    pick = cli("recommend", "--json", *machine).document["recommendation"]
    made = blueprint(Advisor().model(pick["model"]), pick["quantization"])
    number = {name: n for n, name in FILE_TYPES.items()}[pick["quantization"]]
    path = tmp_path / f"m/{pick['hf_id'].rpartition('/')[2]}.gguf"
    path.parent.mkdir()
    write_sparse(Blueprint({**made.metadata, "general.file_type": number, **TOKENS}, made.tensors), path)
    asked = ("recommend", *machine, "--models-dir", tmp_path / "m")
    name = f"{pick['model']}:{pick['quantization']}"
    here = {"candidate": name, "path": str(path), "place": "your folder"}
    assert cli(*asked, "--json").document["already_here"] == [here]
    text = cli(*asked).out
    assert "Already here" in text
    assert f"{name}  {path}" in text
    assert "Already here" not in cli("recommend", *machine).out


def test_a_cache_that_is_broken_or_cannot_be_written_changes_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistral(tmp_path / "m/x.gguf")
    first = found(cli, "--models-dir", tmp_path / "m")
    for cache in ("files.json", "hashes.json"):
        (tmp_path / "cache").mkdir(exist_ok=True)
        for text in ("", "{}", '{"format": 1, "basis": "", "entries": 3}', "\x00"):
            (tmp_path / "cache" / cache).write_text(text, "utf-8")
            assert found(cli, "--models-dir", tmp_path / "m") == first
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", "/dev/null/nowhere")
    assert found(cli, "--models-dir", tmp_path / "m") == first
