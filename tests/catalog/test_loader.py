"""Loading a knowledge directory, and what a broken one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.catalog.loader import load_catalogue, load_gguf_files, load_languages
from advisor.domain.model import Experts, GgufFile, LanguageName, Provenance
from advisor.errors import InputError

from .example import replace, write_example


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return write_example(tmp_path)


def complaint(directory: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_catalogue(directory)
    return str(caught.value)


def test_models_come_in_order_of_their_ids(tmp_path: Path, model_file: Path) -> None:
    replace(model_file, 'id = "tiny-2"', 'id = "aaa"')
    replace(model_file, 'superseded_by = "tiny-2"', 'superseded_by = "aaa"')
    assert [model.id for model in load_catalogue(tmp_path).models] == ["aaa", "tiny-1"]


def test_values_reach_the_domain_with_their_types(tmp_path: Path, model_file: Path) -> None:
    model = load_catalogue(tmp_path).models[0]
    assert (model.hf_id, model.release_date, model.licence) == ("example/Tiny-1", "2026-01", "apache-2.0")
    assert model.languages.supported == ("en", "pt-BR")
    assert model.languages.reason == "for text"
    assert isinstance(model.rope_theta, float)
    assert [(b.name, b.score, b.setting, b.source, b.via) for b in model.benchmarks] == [
        ("MMLU", 40.0, "5-shot", "the model card", None),
        ("GSM8K", 12.5, None, "the model card", "a copy"),
    ]
    assert model.shape is not None
    assert (model.shape.n_heads, model.shape.n_kv_heads, model.shape.tied_embeddings) == (4, 2, True)
    assert model.shape.rope_factors is False
    assert model.shape.experts == Experts(n_total=8, n_used=2, n_shared=0, ffn_size=96)


def test_a_known_value_names_its_source_and_an_unknown_one_its_reason(tmp_path: Path, model_file: Path) -> None:
    known, unknown = load_catalogue(tmp_path).models
    assert known.provenance["shape.n_layers"] == Provenance("config.json", "2026-11-23")
    assert known.provenance["release_date"].note == "the day was not found"
    assert known.provenance["shape.experts.n_used"].source == "config.json"
    assert known.active_params is None
    assert known.unknowns == {"active_params": "nobody counted"}
    assert unknown.languages.supported is None
    assert unknown.languages.reason == "the card names none"
    assert unknown.shape is None
    assert unknown.shape_reason == "not announced"
    assert unknown.related_only == "only an example"


def test_a_state_space_model_needs_no_attention_heads(tmp_path: Path, model_file: Path) -> None:
    cell = '{ value = 4, source = "config" }'
    keys = ("conv_kernel", "inner_size", "state_size", "n_heads", "n_groups")
    text = model_file.read_text("utf-8")
    start, end = text.index("n_heads ="), text.index("vocab_size =")
    experts, after = text.index("[model.shape.experts]"), text.index('[[model]]\nid = "tiny-2"')
    state_space = "[model.shape.state_space]\n" + "".join(f"{key} = {cell}\n" for key in keys)
    model_file.write_text(text[:start] + text[end:experts] + state_space + text[after:], "utf-8")
    shape = load_catalogue(tmp_path).models[0].shape
    assert shape is not None
    assert (shape.n_heads, shape.n_kv_heads, shape.ffn_size) == (0, 0, 0)
    assert shape.state_space is not None
    assert shape.state_space.n_groups == 4


def test_the_version_is_the_date_of_the_newest_source(tmp_path: Path, model_file: Path) -> None:
    assert load_catalogue(tmp_path).version == "2026-11-23"


def test_a_file_without_models_and_sources_leaves_the_version_as_it_is(tmp_path: Path, model_file: Path) -> None:
    for name in ("a.toml", "z.toml"):
        (model_file.parent / name).write_text("schema_version = 1\nmodel = []\n[sources]\n", "utf-8")
    assert load_catalogue(tmp_path).version == "2026-11-23"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'n_layers = { value = 2, source = "config" }',
            'n_layers = { value = 0, source = "config" }',
            "model[tiny-1].shape.n_layers: Input should be greater than 0",
        ),
        (
            "hidden_size = { value = 64,",
            "hidden_size = { value = -64,",
            "model[tiny-1].shape.hidden_size: Input should be greater than 0",
        ),
        (
            "hidden_size = { value = 64,",
            'hidden_size = { value = "64",',
            "model[tiny-1].shape.hidden_size: Input should be a valid integer",
        ),
        (
            "hidden_size = { value = 64,",
            "hidden_size = { value = 64.0,",
            "model[tiny-1].shape.hidden_size: Input should be a valid integer",
        ),
        (
            "hidden_size = { value = 64,",
            "hidden_size = { value = true,",
            "model[tiny-1].shape.hidden_size: Input should be a valid integer",
        ),
        (
            "n_kv_heads = { value = 2,",
            "n_kv_heads = { value = 3,",
            "model[tiny-1].shape: n_heads 4 is no multiple of n_kv_heads 3",
        ),
        (
            'n_heads = { value = 4, source = "config" }\n',
            "",
            "model[tiny-1].shape: n_heads is missing",
        ),
        (
            "n_used = { value = 2,",
            "n_used = { value = 9,",
            "model[tiny-1].shape.experts: n_used 9 is more than n_total 8",
        ),
        (
            "hidden_size = { value",
            "hiden_size = { value",
            "model[tiny-1].shape.hidden_size: the key is missing",
        ),
        (
            'gated = { value = false, source = "card" }',
            'gated = { value = false, source = "card" }\ngatted = true',
            "model[tiny-1].gatted: unknown key. Did you mean 'gated'?",
        ),
        (
            'source = "card", via = "a copy" }',
            'source = "card", vai = "a copy" }',
            "model[tiny-1].benchmark[GSM8K].vai: unknown key. Did you mean 'via'?",
        ),
        (
            "schema_version = 1",
            "schema_version = 1\nmodell = []",
            ": modell: unknown key. Did you mean 'model'?",
        ),
        (
            "schema_version = 1",
            "schema_version = 2",
            ": schema_version: Input should be 1",
        ),
        (
            'name = "Tiny 1"\n',
            "",
            "model[tiny-1].name: the key is missing",
        ),
        (
            'gated = { value = false, source = "card" }',
            "gated = { value = false }",
            "model[tiny-1].gated: the value has no source",
        ),
        (
            'active_params = { unknown = "nobody counted" }',
            'active_params = { source = "card" }',
            "model[tiny-1].active_params: needs either a value or the reason why it is unknown",
        ),
        (
            'shape_reason = "not announced"',
            "",
            "model[tiny-2]: needs either a shape or a shape_reason",
        ),
        (
            'superseded_by = "tiny-2"',
            "",
            "model[tiny-1]: a superseded model needs superseded_by",
        ),
        (
            'family = "llama"\nline = "tiny"\nvendor = "Example"\nhf_id = { value = "example/Tiny-1"',
            'family = "lama"\nline = "tiny"\nvendor = "Example"\nhf_id = { value = "example/Tiny-1"',
            "model[tiny-1].family: Input should be 'mistral' or 'llama'",
        ),
        (
            'score = 40, setting = "5-shot", source = "card"',
            'score = 40, setting = "5-shot", source = "cards"',
            "model[tiny-1].benchmark[MMLU].source: 'cards' is not among the sources. Did you mean 'card'?",
        ),
        (
            'vocab_size = { value = 1000, source = "config" }',
            'vocab_size = { value = 1000, source = "confg" }',
            "model[tiny-1].shape.vocab_size: 'confg' is not among the sources. Did you mean 'config'?",
        ),
        (
            '"apache-2.0"',
            '"apache-2"',
            "model[tiny-1].licence: there is no licence 'apache-2'. Did you mean 'apache-2.0'?",
        ),
        (
            'superseded_by = "tiny-2"',
            'superseded_by = "tiny-3"',
            "model[tiny-1].superseded_by: there is no other model 'tiny-3'. Did you mean 'tiny-2'?",
        ),
        (
            'superseded_by = "tiny-2"',
            'superseded_by = "tiny-1"',
            "model[tiny-1].superseded_by: there is no other model 'tiny-1'",
        ),
        (
            'id = "tiny-2"',
            'id = "tiny-1"',
            "model[tiny-1].id: the id is taken",
        ),
        (
            'checked = "2026-11-20"',
            'checked = "yesterday"',
            ": sources.card.checked: String should match pattern",
        ),
    ],
)
def test_a_broken_model_file_is_told_where_and_why(
    tmp_path: Path, model_file: Path, old: str, new: str, expected: str
) -> None:
    replace(model_file, old, new)
    message = complaint(tmp_path)
    assert message.startswith(str(model_file))
    assert expected in message


def test_several_mistakes_are_counted(tmp_path: Path, model_file: Path) -> None:
    replace(model_file, "hidden_size = { value = 64,", "hidden_size = { value = 0,")
    replace(model_file, "ffn_size = { value = 128,", "ffn_size = { value = 0,")
    assert "and 1 more in this file" in complaint(tmp_path)


def test_an_id_that_two_files_claim_names_both(tmp_path: Path, model_file: Path) -> None:
    other = model_file.with_name("other.toml")
    other.write_text(model_file.read_text("utf-8"), "utf-8")
    message = complaint(tmp_path)
    assert str(model_file) in message
    assert str(other) in message


def test_text_that_is_no_toml_names_the_line(tmp_path: Path, model_file: Path) -> None:
    replace(model_file, 'name = "Tiny 1"', 'name = "Tiny 1')
    assert "line 10" in complaint(tmp_path)


def test_a_directory_without_models_says_so(tmp_path: Path) -> None:
    assert "holds no model" in complaint(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value = 0.03", 'value = "0.03"', "quantization[Q4_K_M].perplexity_increase: Input should be a valid number"),
        (
            '"table" }\noffered',
            '"tabel" }\noffered',
            "quantization[Q4_K_M].file_type: 'tabel' is not among the sources",
        ),
        ("offered", "offerd", "quantization[Q4_K_M].offered: the key is missing"),
    ],
)
def test_a_broken_table_of_quantizations_is_told_where(
    tmp_path: Path, model_file: Path, old: str, new: str, expected: str
) -> None:
    replace(tmp_path / "quantizations.toml", old, new)
    assert expected in complaint(tmp_path)


@pytest.mark.parametrize("name", ["models/llama/tiny.toml", "licences/llama4.toml", "quantizations.toml"])
def test_the_hash_changes_with_any_byte(tmp_path: Path, model_file: Path, name: str) -> None:
    before = load_catalogue(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + b"\n# a comment\n")
    after = load_catalogue(tmp_path)
    assert after.sha256 != before.sha256
    assert after.models == before.models


def test_the_hash_changes_with_the_name_of_a_file(tmp_path: Path, model_file: Path) -> None:
    before = load_catalogue(tmp_path).sha256
    model_file.rename(model_file.with_name("renamed.toml"))
    assert load_catalogue(tmp_path).sha256 != before


def test_the_hash_is_the_same_for_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    write_example(tmp_path / "a")
    write_example(tmp_path / "b")
    assert load_catalogue(tmp_path / "a").sha256 == load_catalogue(tmp_path / "b").sha256


def test_published_files_are_those_of_the_model_asked_for(tmp_path: Path, model_file: Path) -> None:
    assert load_gguf_files(tmp_path, "tiny-1") == (
        GgufFile(
            repo="example/Tiny-1-GGUF",
            file="tiny-1-Q4_K_M-00001-of-00002.gguf",
            quantization="Q4_K_M",
            n_parts=2,
            n_bytes=700,
            tensor_bytes=600,
            sha256=("0" * 64,),
            source="the repository's file list",
            checked="2026-11-23",
        ),
    )
    [other] = load_gguf_files(tmp_path, "tiny-1.5")
    assert (other.n_bytes, other.tensor_bytes, other.sha256) == (None, None, ())
    assert load_gguf_files(tmp_path, "tiny-2") == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("n_bytes = 700", "n_bytes = 0", "n_bytes: Input should be greater than 0"),
        ('["00', '["xx00', "sha256[0]: String should match pattern"),
        ("n_parts = 2", "n_part = 2", "n_parts: the key is missing"),
    ],
)
def test_a_broken_list_of_published_files_is_told_where(
    tmp_path: Path, model_file: Path, old: str, new: str, expected: str
) -> None:
    replace(tmp_path / "gguf/tiny.toml", old, new)
    with pytest.raises(InputError) as caught:
        load_gguf_files(tmp_path, "tiny-1")
    assert f"file[tiny-1-Q4_K_M-00001-of-00002.gguf].{expected}" in str(caught.value)


def test_an_undefined_source_of_a_published_file_is_refused(tmp_path: Path, model_file: Path) -> None:
    replace(tmp_path / "gguf/tiny.toml", 'source = "hub"\n\n', 'source = "hup"\n\n')
    with pytest.raises(InputError, match=r"source: 'hup' is not among the sources\. Did you mean 'hub'\?"):
        load_gguf_files(tmp_path, "tiny-1")


def test_languages_are_found_by_tag(tmp_path: Path, model_file: Path) -> None:
    assert load_languages(tmp_path).languages == {"de": LanguageName("de", "German", "Deutsch")}


def test_a_language_that_occurs_twice_is_refused(tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "languages.toml"
    path.write_text(path.read_text("utf-8") + '[[language]]\ntag = "de"\nenglish = "G"\nown = "D"\n', "utf-8")
    with pytest.raises(InputError, match=r"language\[de\]: the tag occurs twice"):
        load_languages(tmp_path)
