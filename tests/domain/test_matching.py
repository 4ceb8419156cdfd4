"""Which model of the catalogue a file is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.domain.local_files import LocalFile, LocalFiles, Match
from advisor.domain.matching import Identity, index_of, match_file, plain_name
from advisor.domain.model import GgufFile
from advisor.paths import knowledge_dir

MODELS = load_catalogue(knowledge_dir()).models
MODEL = next(m for m in MODELS if m.id == "mistral-7b-instruct-v0.3")
ROW = GgufFile("a/b-GGUF", "b-Q4_K_M.gguf", "Q4_K_M", 1, 4_000, 3_900, ("1" * 64,), "x")
FILE = Identity("c.gguf", (), MODEL.shape, "Q4_K_M", 5_000)
INDEX = index_of(MODELS, {MODEL.id: [ROW]})


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "llama-3.1-8b-instruct"),
        ("mistral-7b-instruct-v0.2.Q4_K_M.gguf", "mistral-7b-instruct-v0.2"),
        ("mistral-7b-instruct-v0.2--Q3_K_L.GGUF", "mistral-7b-instruct-v0.2"),
        ("mistralai_Mistral-Small-3.2-24B-Instruct-2506-IQ4_XS.gguf", "mistral-small-3.2-24b-instruct-2506"),
        ("meta-llama_Llama-3.3-70B-Instruct-Q8_0-00001-of-00002.gguf", "llama-3.3-70b-instruct"),
        (
            "bartowski_Mistral-Nemo-Instruct-2407-GGUF_Mistral-Nemo-Instruct-2407-Q6_K.gguf",
            "mistral-nemo-instruct-2407",
        ),
        ("Q4_0/Llama-3.2-1B-Instruct-UD-Q4_K_XL.gguf", "llama-3.2-1b-instruct"),
        ("Mixtral-8x7B-Instruct-v0.1.i1-IQ2_XXS.gguf", "mixtral-8x7b-instruct-v0.1"),
        ("Llama-3.2-3B-Instruct-f16.gguf", "llama-3.2-3b-instruct"),
        ("Hermes-3-Llama-3.1-8B.Q4_K_M.gguf", "hermes-3-llama-3.1-8b"),
        ("Meta Llama 3.1 8B Instruct", "llama-3.1-8b-instruct"),
    ],
)
def test_publishers_ways_of_naming_lead_to_the_models_name(file: str, name: str) -> None:
    assert plain_name(file) == name


@given(st.text())
def test_any_text_has_a_plain_name(text: str) -> None:
    assert not set(plain_name(text)) & set("/ _")


def test_every_model_of_the_catalogue_is_known_by_its_own_name() -> None:
    for model in MODELS:
        if model.shape is not None:
            name = f"{model.hf_id.rpartition('/')[2]}-Q4_K_M.gguf"
            found, alike = match_file(replace(FILE, file_name=name, shape=model.shape), INDEX)
            assert found is not None, name
            assert (found.model, found.evidence, alike) == (model.id, "name and shape", ())


def test_the_same_name_with_another_shape_is_another_model() -> None:
    other = next(m for m in MODELS if m.id == "llama-3.1-8b-instruct")
    name = "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf"
    assert match_file(replace(FILE, file_name=name, shape=other.shape), INDEX)[0] is None


def test_a_hash_beats_every_name() -> None:
    found, _ = match_file(replace(FILE, file_name="Llama-3.1-8B.gguf", shape=None, sha256=("1" * 64,)), INDEX)
    assert found == Match(MODEL.id, "Q4_K_M", "hash", "a/b-GGUF")


def test_a_published_name_needs_the_published_size() -> None:
    named = replace(FILE, file_name="B-q4_k_m.gguf", shape=None)
    assert match_file(replace(named, n_bytes=4_000), INDEX)[0] == Match(
        MODEL.id, "Q4_K_M", "published file", "a/b-GGUF"
    )
    assert match_file(replace(named, n_bytes=4_001), INDEX) == (None, ())
    assert match_file(replace(named, n_bytes=4_000, sha256=("2" * 64,)), INDEX) == (None, ())
    published = replace(named, published=("a/b-GGUF", "b-Q4_K_M.gguf"))
    assert match_file(replace(published, n_bytes=4_001), INDEX) == (None, ())


def test_a_name_that_says_nothing_leaves_it_to_the_header() -> None:
    names = ("Mistral 7B Instruct v0.3",)
    for opaque in ("sha256-" + "a" * 64, "model.gguf", "ggml-model-q4_0.gguf"):
        found, _ = match_file(replace(FILE, file_name=opaque, names=names), INDEX)
        assert found is not None, opaque
        assert found.model == MODEL.id
    assert match_file(replace(FILE, file_name="my-tune.gguf", names=names), INDEX)[0] is None


def test_the_surest_evidence_is_offered_first_and_nothing_that_cannot_run() -> None:
    base = LocalFile("/x", "p", "l", "model", 1, has_tokenizer=True, match=Match("m", "Q8_0", "name and shape"))
    by_hash = replace(base, path="/y", match=Match("m", "Q8_0", "hash"))
    files = LocalFiles((base, by_hash), ())
    assert files.of("m", "Q8_0") == by_hash
    assert files.of("m", "Q4_0") is None
    mute = replace(by_hash, has_tokenizer=False)
    assert LocalFiles((base, mute), ()).of("m", "Q8_0") == base
    assert LocalFiles((replace(base, kind="projector"),), ()).of("m", "Q8_0") is None
