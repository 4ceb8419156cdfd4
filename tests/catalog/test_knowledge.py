"""The knowledge that ships: complete, sourced and consistent."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import gguf
import pytest
import tomli

from advisor.catalog.loader import load_catalogue, load_gguf_files, load_languages
from advisor.catalog.sealed import sealable
from advisor.domain.catalogue import Catalogue
from advisor.domain.model import Model, Shape
from advisor.domain.tensor_types import DEFAULT_TYPE
from advisor.domain.tensors import parameter_count
from advisor.domain.weights import weights
from tests.shapes import LARGE_3

from .example import KNOWLEDGE

FILES = [path for path, kind in sealable(KNOWLEDGE) if kind in ("models", "gguf", "quantizations", "languages")]
MODEL_FILES = [path for path, kind in sealable(KNOWLEDGE) if kind == "models"]
GGUF_FILES = [path for path, kind in sealable(KNOWLEDGE) if kind == "gguf"]
LLAMA3_ROPE = re.compile(r"llama-3\.[123]-")
MAY_BE_UNKNOWN = (
    "release_date",
    "total_params",
    "text_params",
    "active_params",
    "max_context_tokens",
    "rope_theta",
    "languages",
    "gated",
)
PUBLIC = re.compile(r"https://|[\w-]+/[\w.-]+@[0-9a-f]{7}|PyPI|\bpublic\b|^(computed|inferred|dense|by definition)\b")
"""What the name of a source contains that anybody can look up."""


def name_of(path: Path) -> str:
    return path.relative_to(KNOWLEDGE).as_posix()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(KNOWLEDGE)


def dimensions(value: Any, prefix: str) -> Iterator[str]:
    """Names of the figures in a shape that are not left at their default."""
    for field in fields(value):
        inner = getattr(value, field.name)
        name = f"{prefix}.{field.name}"
        if is_dataclass(inner):
            yield from dimensions(inner, name)
        elif inner is not None and inner != field.default:
            yield name


def used_keys(value: Any) -> Iterator[str]:
    """Every source key that a document refers to."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "source" and isinstance(inner, str):
                yield inner
            else:
                yield from used_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from used_keys(inner)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_both_toml_readers_agree(path: Path) -> None:
    text = path.read_text("utf-8")
    assert tomli.loads(text) == tomllib.loads(text)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_source_is_used_and_public(path: Path) -> None:
    document = tomli.loads(path.read_text("utf-8"))
    assert set(document["sources"]) == set(used_keys(document))
    assert [source["text"] for source in document["sources"].values() if not PUBLIC.search(source["text"])] == []


def test_there_are_59_models_with_unique_ids(catalogue: Catalogue) -> None:
    assert len({model.id for model in catalogue.models}) == len(catalogue.models) == 59


@pytest.mark.parametrize("path", MODEL_FILES, ids=name_of)
def test_a_file_holds_one_line_of_one_family(path: Path) -> None:
    models = tomli.loads(path.read_text("utf-8"))["model"]
    assert {(model["family"], model["line"]) for model in models} == {(path.parent.name, path.stem)}


def test_every_dimension_is_sourced(catalogue: Catalogue) -> None:
    missing = [
        f"{model.id}: {name}"
        for model in catalogue.models
        if model.shape is not None
        for name in dimensions(model.shape, "shape")
        # Zero stands for the heads and blocks that a state-space model does not have.
        if name not in model.provenance and not is_absent(model.shape, name)
    ]
    assert missing == []


def is_absent(shape: Shape, name: str) -> bool:
    return shape.state_space is not None and getattr(shape, name.split(".")[1]) == 0


def test_every_figure_is_sourced_or_unknown_for_a_reason(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        for name in MAY_BE_UNKNOWN:
            assert (name in model.provenance) != (name in model.unknowns), f"{model.id}: {name}"
        for name in ("hf_id", "licence", "modalities", "status"):
            assert name in model.provenance, f"{model.id}: {name}"
        if "image" in model.modalities:
            assert "vision_params" in {*model.provenance, *model.unknowns}, model.id


def test_parts_are_no_more_than_the_whole(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        if model.total_params and model.text_params:
            encoder = model.vision_params or 0
            # Vendors cut the digits off a total, as in 675B for 673.4B and an encoder of 2.5B.
            assert model.text_params + encoder <= model.total_params * 1.002, model.id
        if model.text_params and model.active_params:
            assert model.active_params <= (model.total_params or model.text_params), model.id


def test_rope_factors_are_those_of_llama_3_1_to_3_3(catalogue: Catalogue) -> None:
    with_shape = [model for model in catalogue.models if model.shape is not None]
    assert {m.id for m in with_shape if m.shape and m.shape.rope_factors} == {
        m.id for m in with_shape if LLAMA3_ROPE.match(m.id)
    }


def test_audio_models_and_the_muse_line_are_only_related(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        if "audio" in model.modalities or model.line == "muse":
            assert model.related_only, model.id


def test_succession_ends(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        seen: list[str] = []
        here: Model | None = model
        while here is not None and here.superseded_by is not None:
            assert here.id not in seen, seen
            seen.append(here.id)
            here = catalogue.model(here.superseded_by)


def test_a_benchmark_is_listed_once_per_setting(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        results = [(benchmark.name, benchmark.setting) for benchmark in model.benchmarks]
        assert len(results) == len(set(results)), model.id


def test_every_language_of_a_model_has_a_name(catalogue: Catalogue) -> None:
    names = load_languages(KNOWLEDGE).languages
    for model in catalogue.models:
        assert set(model.languages.supported or ()) <= set(names), model.id


def test_published_files_belong_to_known_models(catalogue: Catalogue) -> None:
    documents = [tomli.loads(path.read_text("utf-8")) for path in GGUF_FILES]
    listed = {row["model"] for document in documents for row in document["file"]}
    assert listed <= {model.id for model in catalogue.models}
    for model_id in listed:
        for row in load_gguf_files(KNOWLEDGE, model_id):
            assert len(row.sha256) in (0, row.n_parts), row.file
            if row.tensor_bytes is not None:
                assert row.n_bytes is not None
                assert 0 < row.tensor_bytes < row.n_bytes


def test_file_types_are_those_of_llama_cpp(catalogue: Catalogue) -> None:
    numbers = {q.name: q.file_type for q in catalogue.quantizations.values()}
    assert len(set(numbers.values())) == len(numbers)
    official = {m.name.removeprefix("MOSTLY_").removeprefix("ALL_"): m.value for m in gguf.LlamaFileType}
    assert {n: v for n, v in numbers.items() if n in official} == {n: v for n, v in official.items() if n in numbers}
    assert set(numbers) == set(DEFAULT_TYPE)


def test_offered_quantizations_have_a_known_loss(catalogue: Catalogue) -> None:
    offered = {q.name: q for q in catalogue.quantizations.values() if q.offered}
    assert {name for name, q in offered.items() if q.perplexity_increase is None} == {"BF16"}
    ranked = sorted((q for q in offered.values() if q.kl_divergence is not None), key=lambda q: q.kl_divergence or 0)
    assert [q.name for q in ranked if q.name in ("F16", "Q8_0", "Q6_K", "Q4_K_M", "Q2_K")] == [
        "F16",
        "Q8_0",
        "Q6_K",
        "Q4_K_M",
        "Q2_K",
    ]
    assert all(q.reference and q.source for q in ranked)


K_QUANTS_SINCE_2024 = ("bartowski/", "unsloth/", "mistralai/")
"""Publishers whose files were made by the mixture rules of today."""


def test_a_published_file_holds_its_tensors_and_little_more(catalogue: Catalogue) -> None:
    """A header of metadata and vocabulary is some megabytes: the size of a file tests the arithmetic of its model."""
    checked = 0
    for model in catalogue.models:
        if model.shape is None:
            continue
        for file in load_gguf_files(KNOWLEDGE, model.id):
            plain = file.quantization == "Q4_K_M" and file.repo.startswith(K_QUANTS_SINCE_2024)
            if plain and file.n_bytes is not None and file.n_parts == 1:
                tensors = weights(model.shape, file.quantization).total_bytes
                assert tensors < file.n_bytes < tensors + 16_000_000, f"{model.id}: {file.file}"
                checked += 1
    assert checked >= 6


def test_the_engine_is_shown_mistral_large_3_as_its_released_parameters_describe_it(catalogue: Catalogue) -> None:
    model = catalogue.model("mistral-large-3-675b-instruct")
    assert model is not None
    assert model.shape == LARGE_3  # the engine's tests load a blueprint of this shape
    assert model.text_params == parameter_count(LARGE_3)
    assert round(parameter_count(LARGE_3) / 1e9) == 673  # what the card says
