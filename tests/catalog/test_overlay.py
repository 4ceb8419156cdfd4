"""A user's own entries: what they inherit, what they may not shed, and that a broken one hides nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.catalog.overlay import merged_documents, with_overlay
from advisor.domain.catalogue import Catalogue
from advisor.domain.model import Model
from advisor.errors import AdvisorWarning, InputError
from advisor.service import Advisor
from tests.cli.running import Cli

from .example import KNOWLEDGE

SHIPPED = load_catalogue(KNOWLEDGE)
HEAD = 'schema_version = 1\n[sources]\nmine = { text = "my own run", checked = "2026-11-25" }\n'
ENTRY = """
[[model]]
id = "my-tune"
base = "llama-3.1-8b-instruct"
name = "My Tune"
hf_id = { value = "me/my-tune", source = "mine" }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def write(folder: Path, *entries: str, name: str = "mine.toml") -> Path:
    path = folder / "models" / name
    path.write_text(HEAD + "".join(entries), "utf-8")
    return path


def laid_over(folder: Path, *entries: str) -> Catalogue:
    write(folder, *entries)
    return with_overlay(SHIPPED, KNOWLEDGE, folder)


def model(catalogue: Catalogue, model_id: str) -> Model:
    found = catalogue.model(model_id)
    assert found is not None
    return found


def complaint(folder: Path, *entries: str) -> str:
    with pytest.raises(InputError) as caught:
        laid_over(folder, *entries)
    return str(caught.value)


# ------------------------------------------------------------ inheritance


def test_a_fine_tune_has_the_shape_and_the_terms_of_its_base(folder: Path) -> None:
    mine, base = model(laid_over(folder, ENTRY), "my-tune"), model(SHIPPED, "llama-3.1-8b-instruct")
    for name in ("shape", "licence", "max_context_tokens", "text_params", "modalities", "family", "line"):
        assert getattr(mine, name) == getattr(base, name), name
    assert mine.languages.supported == base.languages.supported
    assert (mine.name, mine.hf_id, mine.vendor) == ("My Tune", "me/my-tune", "me")
    assert (mine.base, mine.overlay) == ("llama-3.1-8b-instruct", str(folder / "models/mine.toml"))


def test_an_inherited_value_keeps_its_source_and_says_so(folder: Path) -> None:
    mine, base = model(laid_over(folder, ENTRY), "my-tune"), model(SHIPPED, "llama-3.1-8b-instruct")
    for name in ("licence", "shape.n_layers", "max_context_tokens", "languages"):
        found, origin = mine.provenance[name], base.provenance[name]
        assert (found.source, found.checked) == (origin.source, origin.checked)
        assert (found.note or "").startswith("inherited from llama-3.1-8b-instruct")
    assert mine.provenance["hf_id"].source == "my own run"
    assert mine.provenance["hf_id"].note is None


def test_results_files_and_status_of_the_base_are_not_those_of_the_fine_tune(folder: Path) -> None:
    mine, base = model(laid_over(folder, ENTRY), "my-tune"), model(SHIPPED, "llama-3.1-8b-instruct")
    assert base.benchmarks
    assert base.ecosystem.gguf_repos
    assert mine.benchmarks == ()
    assert mine.ecosystem.gguf_repos == ()
    assert base.ecosystem.facts
    assert mine.ecosystem.facts == ()
    assert mine.notes == ()
    assert (mine.status, mine.superseded_by, mine.gated, mine.release_date) == ("unknown", None, None, None)
    assert mine.unknowns["release_date"] == "the overlay does not say"


def test_a_fine_tune_can_have_what_its_base_has_a_reason_to_lack(folder: Path) -> None:
    base = next(m for m in SHIPPED.models if {"benchmarks", "gguf_repos"} <= m.unknowns.keys())
    own = """
benchmark = [{ name = "MMLU", score = 61.5, source = "mine" }]
gguf_repos = { value = ["me/my-tune-GGUF"], source = "mine" }
"""
    mine = model(laid_over(folder, ENTRY.replace("llama-3.1-8b-instruct", base.id) + own), "my-tune")
    assert len(mine.benchmarks) == 1
    assert mine.ecosystem.gguf_repos == ("me/my-tune-GGUF",)
    assert not {"benchmarks", "gguf_repos", "ecosystem"} & mine.unknowns.keys()


def test_what_an_entry_says_itself_counts(folder: Path) -> None:
    own = """
languages = { value = ["de"], source = "mine", note = "trained on German only" }
status = { value = "current", source = "mine" }
benchmark = [{ name = "MMLU", score = 61.5, source = "mine" }]
[model.shape]
vocab_size = { value = 128264, source = "mine" }
"""
    mine = model(laid_over(folder, ENTRY + own), "my-tune")
    assert (mine.languages.supported, mine.languages.reason) == (("de",), "trained on German only")
    assert [(b.name, b.score, b.source) for b in mine.benchmarks] == [("MMLU", 61.5, "my own run")]
    assert mine.shape is not None
    assert (mine.shape.vocab_size, mine.shape.n_layers) == (128264, 32)
    assert mine.provenance["shape.vocab_size"].source == "my own run"


def test_part_of_a_mixture_can_be_changed_alone(folder: Path) -> None:
    entry = ENTRY.replace("llama-3.1-8b-instruct", "mixtral-8x7b-instruct-v0.1")
    mine = model(
        laid_over(folder, entry + '[model.shape.experts]\nn_used = { value = 3, source = "mine" }\n'), "my-tune"
    )
    assert mine.shape is not None
    assert mine.shape.experts is not None
    assert (mine.shape.experts.n_used, mine.shape.experts.n_total) == (3, 8)


def test_a_fine_tune_of_a_fine_tune_inherits_through_both(folder: Path) -> None:
    second = ENTRY.replace("my-tune", "my-tune-2").replace("llama-3.1-8b-instruct", "my-tune")
    first = ENTRY + 'max_context_tokens = { value = 65536, source = "mine" }\n'
    found = laid_over(folder, second, first)
    mine = model(found, "my-tune-2")
    assert (mine.max_context_tokens, mine.licence) == (65536, "llama3.1")
    assert mine.provenance["max_context_tokens"].source == "my own run"
    assert "inherited from my-tune; inherited from llama-3.1-8b-instruct" in (mine.provenance["licence"].note or "")


def test_an_entry_of_the_same_id_takes_the_place_of_the_shipped_one(folder: Path) -> None:
    entry = '[[model]]\nid = "llama-3.1-8b-instruct"\nbase = "llama-3.1-8b-instruct"\n'
    found = laid_over(folder, entry + 'max_context_tokens = { value = 8192, source = "mine" }\n')
    mine, shipped = model(found, "llama-3.1-8b-instruct"), model(SHIPPED, "llama-3.1-8b-instruct")
    assert len(found.models) == len(SHIPPED.models)
    assert mine.max_context_tokens == 8192
    assert (mine.benchmarks, mine.name, mine.ecosystem) == (shipped.benchmarks, shipped.name, shipped.ecosystem)
    assert mine.provenance["licence"] == shipped.provenance["licence"]


def test_nothing_but_what_an_entry_names_changes(folder: Path) -> None:
    found = laid_over(folder, ENTRY)
    assert tuple(m for m in found.models if m.overlay is None) == SHIPPED.models
    assert [m.id for m in found.models] == sorted(m.id for m in found.models)


# ------------------------------------------------------------ visibility


def test_version_and_hash_say_that_the_catalogue_is_not_the_shipped_one(folder: Path) -> None:
    found = laid_over(folder, ENTRY)
    assert found.version == f"{SHIPPED.version}+overlay"
    assert found.sha256 != SHIPPED.sha256
    assert laid_over(folder, ENTRY).sha256 == found.sha256
    assert laid_over(folder, ENTRY + "# a comment\n").sha256 != found.sha256


def test_an_empty_overlay_changes_nothing(folder: Path) -> None:
    assert with_overlay(SHIPPED, KNOWLEDGE, folder) is SHIPPED


def test_own_entries_are_marked_wherever_they_are_shown(cli: Cli, folder: Path) -> None:
    path = write(folder, ENTRY)
    rows = [line.split("\t") for line in cli("models", "--plain").out.splitlines()]
    assert [row[0] for row in rows if "from your overlay" in row[-1]] == ["my-tune"]
    listed = {m["id"]: m for m in cli("models", "--json").document["models"]}
    assert (listed["my-tune"]["overlay"], listed["my-tune"]["base"]) == (str(path), "llama-3.1-8b-instruct")
    assert listed["llama-3.1-8b-instruct"]["overlay"] is None
    assert f"from your overlay, built on llama-3.1-8b-instruct: {path}" in cli("show", "my-tune", "--plain").out
    shown = cli("show", "my-tune", "--json").document
    assert "inherited from llama-3.1-8b-instruct" in shown["sources"]["licence"]["note"]


def test_a_recommendation_shows_that_it_rests_on_an_overlay(folder: Path) -> None:
    from advisor.domain.presentation import explanation

    write(folder, ENTRY)
    advisor = Advisor()
    constraints = advisor.constraints(advisor.questionnaire.defaults())
    found = advisor.recommend(_machine(), constraints)
    assert found.catalogue_version.endswith("+overlay")
    mine = next(c for c in found.ranked if c.model.id == "my-tune")
    assert any("from your overlay" in line for p in explanation(mine, found, width=80) for line in p.lines)


def _machine() -> Any:
    from tests.builders import gpu, machine

    return machine(64 << 30, gpu(24 << 30))


# ------------------------------------------------------------ licences


@pytest.mark.parametrize(
    ("base", "licence"),
    [
        ("llama-3.1-8b-instruct", "apache-2.0"),
        ("llama-3.2-1b-instruct", "llama3.1"),
        ("codestral-22b-v0.1", "apache-2.0"),
        ("muse-spark-open-816b-a42b", "apache-2.0"),
    ],
)
def test_a_derivative_cannot_shed_terms_of_its_base(folder: Path, base: str, licence: str) -> None:
    entry = ENTRY.replace("llama-3.1-8b-instruct", base)
    message = complaint(folder, entry + f'licence = {{ value = "{licence}", source = "mine" }}\n')
    assert f"model[my-tune].licence: {licence!r} sheds terms of" in message
    assert "Leave the licence out to inherit" in message


@pytest.mark.parametrize("licence", ["cc-by-nc-4.0", "mrl-0.1", "unknown", "apache-2.0"])
def test_a_stricter_licence_than_that_of_the_base_is_taken(folder: Path, licence: str) -> None:
    entry = ENTRY.replace("llama-3.1-8b-instruct", "mistral-7b-instruct-v0.3")
    found = laid_over(folder, entry + f'licence = {{ value = "{licence}", source = "mine" }}\n')
    assert model(found, "my-tune").licence == licence


# ------------------------------------------------------------ unknown stays unknown


def _asked(**settings: str) -> Any:
    advisor = Advisor()
    answers = advisor.answers(settings=[f"{key.replace('__', '.')}={value}" for key, value in settings.items()])
    return advisor.recommend(_machine(), advisor.constraints(answers))


def test_a_model_whose_licence_nobody_sourced_is_never_allowed(folder: Path) -> None:
    write(folder, ENTRY + 'licence = { value = "unknown", source = "mine" }\n')
    for settings in ({}, {"use__commercial": "false", "use__purpose": "research"}, {"use__deployment": "internal"}):
        found = _asked(**settings)
        assert "my-tune" not in {c.model.id for c in found.quantizations}
        [rejected] = [r for r in found.rejected if r.model.id == "my-tune"]
        assert rejected.licence.verdict.value == "unknown"
        assert "licence" in {reason.code for reason in rejected.reasons}


def test_a_model_whose_languages_nobody_sourced_never_passes_for_a_language(folder: Path) -> None:
    write(folder, ENTRY + 'languages = { unknown = "I did not test any" }\n')
    assert "my-tune" in {c.model.id for c in _asked(languages__required="[]").quantizations}
    for tag in ("en", "de", "th"):
        found = _asked(languages__required=f'["{tag}"]')
        assert "my-tune" not in {c.model.id for c in found.quantizations}
        [rejected] = [r for r in found.rejected if r.model.id == "my-tune"]
        [reason] = [r for r in rejected.reasons if r.code == "languages"]
        assert "nobody sourced" in reason.text


# ------------------------------------------------------------ broken overlays

BROKEN = {
    "no toml": ("[[model]\n", "line 4"),
    "an unknown base": (ENTRY.replace("3.1-8b", "3.1-9b"), "model[my-tune].base: there is no model"),
    "a base that is no id": (ENTRY.replace('base = "llama-3.1-8b-instruct"', "base = 3"), "model[my-tune].base"),
    "a base that is built on it": (
        ENTRY.replace("llama-3.1-8b-instruct", "b")
        + ENTRY.replace("my-tune", "b").replace("llama-3.1-8b-instruct", "my-tune"),
        "is built on this model itself",
    ),
    "an id twice": (ENTRY + ENTRY, "model[my-tune].id: the id is taken"),
    "a missing name": (ENTRY.replace('name = "My Tune"\n', ""), "model[my-tune].name: the key is missing"),
    "a missing source": (ENTRY.replace(', source = "mine" }', " }"), "model[my-tune].hf_id.source: the key is missing"),
    "a source that is not there": (ENTRY.replace('"mine" }', '"mien" }'), "'mien' is not among the sources"),
    "a misspelled key": (ENTRY + 'licens = { value = "x", source = "mine" }\n', "Did you mean 'licence'?"),
    "an unknown licence": (
        ENTRY + 'licence = { value = "llama3.9", source = "mine" }\n',
        "model[my-tune].licence: there is no licence 'llama3.9'",
    ),
    "a successor that is not there": (
        ENTRY + 'superseded_by = "my-tune-2"\n',
        "model[my-tune].superseded_by: there is no other model 'my-tune-2'",
    ),
    "a context of zero": (
        ENTRY + 'max_context_tokens = { value = 0, source = "mine" }\n',
        "model[my-tune].max_context_tokens: Input should be greater than 0",
    ),
    "heads that do not divide": (
        ENTRY + '[model.shape]\nn_kv_heads = { value = 5, source = "mine" }\n',
        "model[my-tune].shape: n_heads 32 is no multiple of n_kv_heads 5",
    ),
    "layers without end": (
        ENTRY + '[model.shape]\nn_layers = { value = 1000000000, source = "mine" }\n',
        "model[my-tune].shape.n_layers: Input should be less than or equal to 512",
    ),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_overlay_is_told_where_and_why_and_what_ships_is_used(
    cli: Cli, folder: Path, text: str, expected: str
) -> None:
    path = write(folder, text)
    found = cli("models", "--json")
    assert found.code == 0
    assert len(found.document["models"]) == len(SHIPPED.models)
    assert found.document["catalogue"]["version"] == SHIPPED.version
    [line] = found.err.splitlines()
    assert line.startswith("llm-advisor: warning: your own entries are not used")
    assert str(path) in line
    assert expected in line
    assert "llm-advisor catalog validate" in line
    checked = cli("catalog", "validate", "--no-engine", "--json")
    assert checked.code == 2
    errors = [f for f in checked.document["findings"] if f["level"] == "error"]
    assert {f["file"] for f in errors} == {str(path)}
    assert any(expected in f"{f['key']}: {f['reason']}. {f['next']}" for f in errors)


def test_one_broken_file_leaves_out_the_whole_overlay(folder: Path) -> None:
    write(folder, ENTRY)
    write(folder, "[[model]\n", name="other.toml")
    with pytest.warns(AdvisorWarning, match=r"other\.toml"):
        assert Advisor().catalogue.models == SHIPPED.models


def test_a_long_chain_of_bases_is_refused(folder: Path) -> None:
    chain = [
        ENTRY.replace("my-tune", f"tune-{i}").replace("llama-3.1-8b-instruct", f"tune-{i + 1}") for i in range(2000)
    ]
    assert "more than 8 models are built on one another" in complaint(folder, *chain)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", "mine", "llama-3.1-8b-instruct"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "base", "value", "source", "shape", "experts", "hf_id", "model"]), inner
        )
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["model", "sources", "schema_version"]), VALUES) | st.fixed_dictionaries(
    {"model": st.lists(VALUES, max_size=3), "sources": st.dictionaries(st.sampled_from(["a", "mine"]), VALUES)}
)


@given(DOCUMENTS, DOCUMENTS)
def test_whatever_a_file_says_is_filled_up_or_refused(first: Any, second: Any) -> None:
    try:
        found = merged_documents({Path("a"): first, Path("b"): second}, KNOWLEDGE)
    except InputError:
        return  # the one way to refuse
    assert set(found) == {Path("a"), Path("b")}


# ------------------------------------------------------------ cold start


def test_without_an_overlay_nothing_is_loaded_for_one(tmp_path: Path) -> None:
    program = """
import sys
from advisor.service import Advisor
advisor = Advisor()
advisor.gguf_files(advisor.catalogue.models[0])
late = ("pydantic", "advisor.catalog.overlay", "advisor.upkeep.refreshing", "huggingface_hub", "httpx")
print(*[name for name in late if name in sys.modules])
"""
    env = {**os.environ, "LLM_ADVISOR_CONFIG_DIR": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == ""
