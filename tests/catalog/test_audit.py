"""What `catalog validate` finds: each thing that can be wrong, in a copy of the shipped knowledge."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from advisor.catalog.audit import audit
from advisor.catalog.loader import load_catalogue
from advisor.catalog.sealed import SEAL, write_seal
from advisor.domain.upkeep.finding import Finding
from advisor.domain.upkeep.staleness import MAX_AGE_DAYS

from .example import KNOWLEDGE, replace

TODAY = date(2026, 11, 28)
MISTRAL = "models/mistral/mistral-7b.toml"
LINE_OF_FIRST_MODEL = 1 + (KNOWLEDGE / MISTRAL).read_text("utf-8").splitlines().index("[[model]]")
LLAMA = "models/llama/llama-3.1.toml"


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    shutil.copytree(KNOWLEDGE, tmp_path / "knowledge")
    (tmp_path / "knowledge" / SEAL).unlink()
    return tmp_path / "knowledge"


def found_in(knowledge: Path, today: date = TODAY) -> tuple[Finding, ...]:
    return audit(knowledge, knowledge.parent / "no-overlay", today).findings


def first(path: Path, old: str, new: str) -> None:
    """Change the first place where the old text stands."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_shipped_knowledge_has_no_errors() -> None:
    found = audit(KNOWLEDGE, KNOWLEDGE / "no-overlay", TODAY)
    assert [f for f in found.findings if f.level == "error"] == []
    assert len(found.models) >= 59
    assert found.n_files >= 63


def rate_of(kind: str) -> str:
    """The first rate of a ggml type, as the generated file spells it."""
    found = re.search(rf"\b{kind} = \S+, ", (KNOWLEDGE / "speed.toml").read_text("utf-8"))
    assert found is not None
    return found.group()


CASES = {
    "a wrong type": (
        MISTRAL,
        "n_layers = { value = 32,",
        'n_layers = { value = "32",',
        "shape.n_layers",
        "valid integer",
    ),
    "a missing source": (
        MISTRAL,
        'gated = { value = false, source = "inferred" }',
        "gated = { value = false }",
        "model[mistral-7b-instruct-v0.1].gated",
        "the value has no source",
    ),
    "a source that is not there": (
        MISTRAL,
        'source = "dense"',
        'source = "dens"',
        "model[mistral-7b-instruct-v0.1].active_params.source",
        "'dens' is not among the sources",
    ),
    "a duplicate id": (
        MISTRAL,
        'id = "mistral-7b-instruct-v0.1"',
        'id = "mistral-7b-instruct-v0.2"',
        "model[mistral-7b-instruct-v0.2].id",
        "the id is taken",
    ),
    "an unknown licence": (
        MISTRAL,
        'licence = { value = "apache-2.0"',
        'licence = { value = "apache-3.0"',
        "model[mistral-7b-instruct-v0.1].licence",
        "there is no licence 'apache-3.0'",
    ),
    "an unknown successor": (
        MISTRAL,
        'superseded_by = "mistral-7b-instruct-v0.2"',
        'superseded_by = "mistral-8b"',
        "model[mistral-7b-instruct-v0.1].superseded_by",
        "there is no other model",
    ),
    "a succession in a circle": (
        MISTRAL,
        'superseded_by = "ministral-3-8b-instruct"',
        'superseded_by = "mistral-7b-instruct-v0.1"',
        "model[mistral-7b-instruct-v0.1].superseded_by",
        "round in a circle",
    ),
    "a negative number": (
        MISTRAL,
        "vocab_size = { value = 32000",
        "vocab_size = { value = -1",
        "vocab_size",
        "greater than 0",
    ),
    "no layers": (MISTRAL, "n_layers = { value = 32", "n_layers = { value = 0", "n_layers", "greater than 0"),
    "more layers than llama.cpp": (
        MISTRAL,
        "n_layers = { value = 32",
        "n_layers = { value = 513",
        "n_layers",
        "equal to 512",
    ),
    "heads that do not divide": (
        MISTRAL,
        "n_kv_heads = { value = 8",
        "n_kv_heads = { value = 7",
        "model[mistral-7b-instruct-v0.1].shape",
        "n_heads 32 is no multiple of n_kv_heads 7",
    ),
    "more kv heads than heads": (
        MISTRAL,
        "n_kv_heads = { value = 8",
        "n_kv_heads = { value = 64",
        "model[mistral-7b-instruct-v0.1].shape",
        "n_heads 32 is no multiple of n_kv_heads 64",
    ),
    "a head of odd width": (
        MISTRAL,
        "head_dim = { value = 128",
        "head_dim = { value = 127",
        ".shape",
        "head_dim 127 is odd",
    ),
    "a context of zero": (
        MISTRAL,
        "max_context_tokens = { value = 8192",
        "max_context_tokens = { value = 0",
        "max_context_tokens",
        "greater than 0",
    ),
    "a window over more layers than there are": (
        MISTRAL,
        "full_every = { value = 0",
        "full_every = { value = 33",
        "model[mistral-7b-instruct-v0.1].shape",
        "window.full_every 33 is more than n_layers 32",
    ),
    "more active parameters than there are": (
        MISTRAL,
        "active_params = { value = 7241732096",
        "active_params = { value = 9241732096",
        "model[mistral-7b-instruct-v0.1]",
        "active_params 9241732096 is more than total_params 7241732096",
    ),
    "a shape that gives other parameters": (
        MISTRAL,
        "ffn_size = { value = 14336",
        "ffn_size = { value = 14592",
        "model[mistral-7b-instruct-v0.1].text_params",
        "the tensors of the shape have 7,342,395,392 parameters, published are 7,241,732,096",
    ),
    "a total that its parts do not make": (
        MISTRAL,
        "total_params = { value = 7241732096",
        "total_params = { value = 7241732097",
        "model[mistral-7b-instruct-v0.1].total_params",
        "text and encoder make 7,241,732,096",
    ),
    "an architecture without rules": (
        MISTRAL,
        'architecture = { value = "llama"',
        'architecture = { value = "gpt2"',
        "model[mistral-7b-instruct-v0.1].shape",
        "no tensor rules for architecture 'gpt2'",
    ),
    "an architecture without its parts": (
        MISTRAL,
        'architecture = { value = "llama"',
        'architecture = { value = "mistral4"',
        "model[mistral-7b-instruct-v0.1].shape",
        "needs a shape with 'experts'",
    ),
    "a score that is no number": (LLAMA, "score = 69.4", "score = nan", "benchmark[MMLU].score", "finite number"),
    "a negative score": (
        LLAMA,
        "score = 69.4",
        "score = -69.4",
        "benchmark[MMLU].score",
        "greater than or equal to 0",
    ),
    "a result twice": (
        LLAMA,
        'name = "MMLU", score = 73.0, setting = "0-shot, CoT"',
        'name = "MMLU", score = 73.0, setting = "5-shot"',
        "model[llama-3.1-8b-instruct].benchmark[MMLU]",
        "listed twice in one setting",
    ),
    "a language without a name": (
        LLAMA,
        '["en", "de", "fr", "it", "pt", "hi", "es", "th"]',
        '["en", "xx"]',
        "model[llama-3.1-8b-instruct].languages",
        "languages.toml has no name for 'xx'",
    ),
    "a tag that is none": (LLAMA, '["en", "de"', '["English", "de"', "languages.value[0]", "should match pattern"),
    "a day that is none": (
        LLAMA,
        'value = "2024-07-23"',
        'value = "2024-07-32"',
        "release_date",
        "no day of the calendar",
    ),
    "an entry in the wrong file": (
        LLAMA,
        'line = "llama-3.1"',
        'line = "llama-3.2"',
        "model[llama-3.1-8b-instruct].line",
        "an entry of llama/llama-3.2 in another file",
    ),
    "a file of an unknown model": (
        "gguf/mistral-7b.toml",
        'model = "mistral-7b-instruct-v0.1"',
        'model = "mistral-7b-instruct-v0.9"',
        "file[mistral-7b-instruct-v0.1.Q4_K_S.gguf].model",
        "there is no model 'mistral-7b-instruct-v0.9'",
    ),
    "a quantization that is none": (
        "gguf/mistral-7b.toml",
        'quantization = "Q4_K_S"',
        'quantization = "four bits"',
        "file[mistral-7b-instruct-v0.1.Q4_K_S.gguf].quantization",
        "no name of a quantization",
    ),
    "a file of no bytes": (
        "gguf/mistral-7b.toml",
        "n_bytes = 4140373664",
        "n_bytes = 0",
        "n_bytes",
        "greater than 0",
    ),
    "a licence without a link": (
        "licences/llama3.1.toml",
        'url = "https://',
        'hf_tag_ = "https://',
        "hf_tag_",
        "unknown key",
    ),
    "a licence link that is none": (
        "licences/mrl-0.1.toml",
        'url = "https://mistral.ai/',
        'url = "https:// mistral.ai/',
        "url",
        "is no web address",
    ),
    "a licence under another name": (
        "licences/mrl-0.1.toml",
        'id = "mrl-0.1"',
        'id = "mrl-0.2"',
        "id",
        "is not the file's name",
    ),
    "a language twice": ("languages.toml", 'tag = "de"', 'tag = "fr"', "language[fr]", "occurs twice"),
    "a quantization without rules": (
        "quantizations.toml",
        'name = "Q4_1"',
        'name = "Q4_2"',
        "quantization[Q4_2].name",
        "there are no rules for 'Q4_2'",
    ),
    "a quantization of another's number": (
        "quantizations.toml",
        "value = 3, source",
        "value = 2, source",
        "quantization[Q4_1].file_type",
        "Q4_0 has the same number 2",
    ),
    "a speed constant that is missing": ("speed.toml", rate_of("Q4_K"), "", "cpu.arm", "rates need F16 and Q4_K"),
    "a rate for a type that is offered": (
        "speed.toml",
        rate_of("Q6_K"),
        "",
        "cpu.arm.core_read_bytes_per_s",
        "no rate for Q6_K",
    ),
    "a GPU twice": (
        "hardware/gpus.toml",
        'name = "RTX 5090 D"',
        'name = "RTX 5090"',
        "gpu[RTX 5090].name",
        "the name is taken",
    ),
    "a bandwidth without end": (
        "hardware/gpus.toml",
        "bandwidth_gb_s = 1792",
        "bandwidth_gb_s = inf",
        "bandwidth_gb_s",
        "finite",
    ),
    "a GPU without a source": (
        "hardware/gpus.toml",
        'source = "geforce_blackwell"',
        'source = "geforce"',
        "gpu[RTX 5090].source",
        "'geforce' is not among the sources",
    ),
    "a question without sense": ("questions.toml", 'kind = "', 'kind = "odd', "kind", "Input should be"),
    "no TOML": (MISTRAL, "[[model]]", "[[model]", "", f"line {LINE_OF_FIRST_MODEL}"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "key", "reason"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_found_with_file_key_and_reason(
    knowledge: Path, name: str, old: str, new: str, key: str, reason: str
) -> None:
    first(knowledge / name, old, new)
    errors = [f for f in found_in(knowledge) if f.level == "error"]
    hits = [f for f in errors if f.file == name and f.key.endswith(key) and reason in f.reason]
    assert hits, errors


def test_everything_wrong_in_a_file_is_told_not_only_the_first(knowledge: Path) -> None:
    path = knowledge / MISTRAL
    first(path, "n_layers = { value = 32", "n_layers = { value = 0")
    first(path, "ffn_size = { value = 14336", "ffn_size = { value = 0")
    keys = {f.key for f in found_in(knowledge) if f.file == MISTRAL}
    assert {"model[mistral-7b-instruct-v0.1].shape.n_layers", "model[mistral-7b-instruct-v0.1].shape.ffn_size"} <= keys


def test_a_licence_without_a_link_to_its_text_is_found(knowledge: Path) -> None:
    path = knowledge / "licences/mrl-0.1.toml"
    first(path, 'url = "https://mistral.ai/static/licenses/MRL-0.1.md"\n', "")
    assert Finding(
        "error", "licences/mrl-0.1.toml", "url", "no link to the text", "Give the address of the licence text."
    ) in (found_in(knowledge))


def test_a_published_file_that_the_shape_does_not_give_is_a_warning(knowledge: Path) -> None:
    replace(knowledge / "gguf/mistral-7b.toml", "tensor_bytes = 4372054016", "tensor_bytes = 4372054015")
    [finding] = found_in(knowledge)
    assert (finding.level, finding.file) == ("warning", "gguf/mistral-7b.toml")
    assert "4,372,054,015 bytes of tensors published, the shape gives" in finding.reason


def test_a_source_that_nothing_names_is_a_warning(knowledge: Path) -> None:
    first(
        knowledge / MISTRAL,
        "[sources]\n",
        '[sources]\nspare = { text = "https://a.example", checked = "2026-11-23" }\n',
    )
    [finding] = found_in(knowledge)
    assert (finding.level, finding.key) == ("warning", "sources.spare")


def test_a_file_that_the_seal_does_not_know_is_a_warning(knowledge: Path) -> None:
    write_seal(knowledge)
    assert found_in(knowledge) == ()
    (knowledge / MISTRAL).write_text((knowledge / MISTRAL).read_text("utf-8") + "# changed\n", "utf-8")
    [finding] = found_in(knowledge)
    assert (finding.level, finding.file, finding.key) == ("warning", SEAL, MISTRAL)


def test_sources_go_stale_after_180_days_and_not_before() -> None:
    """The oldest sources of the release; newer ones go stale later."""
    checked = date(2026, 11, 23)
    overlay = KNOWLEDGE / "no-overlay"
    fresh = audit(KNOWLEDGE, overlay, checked + timedelta(days=MAX_AGE_DAYS)).findings
    assert not [f for f in fresh if "not checked for" in f.reason]
    stale = audit(KNOWLEDGE, overlay, checked + timedelta(days=MAX_AGE_DAYS + 1)).findings
    assert {f.level for f in stale} == {"warning"}
    assert "sources." in stale[0].key
    files = {f.file for f in stale if "not checked for 181 days, since 2026-11-23" in f.reason}
    for kind in ("models/", "gguf/", "licences/", "hardware/", "quantizations.toml"):
        assert any(name.startswith(kind) for name in files), kind
    latest = date.fromisoformat(load_catalogue(KNOWLEDGE).version)
    last = audit(KNOWLEDGE, overlay, latest + timedelta(days=MAX_AGE_DAYS + 1)).findings
    assert "languages.toml" in {f.file for f in last if "not checked for" in f.reason}


def test_a_source_checked_tomorrow_is_a_warning(knowledge: Path) -> None:
    first(knowledge / MISTRAL, 'checked = "2026-11-23"', 'checked = "2027-11-23"')
    [finding] = found_in(knowledge)
    assert (finding.level, finding.file, finding.key) == ("warning", MISTRAL, "sources.docs")
    assert f"checked on 2027-11-23, which is after {TODAY}" in finding.reason


def test_a_directory_without_anything_has_no_findings_to_trip_over(tmp_path: Path) -> None:
    assert audit(tmp_path, tmp_path, TODAY).models == ()
