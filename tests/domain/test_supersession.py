"""An older model gives way where a newer sibling leaves it nothing, and in no other case."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.domain.candidate import Candidate
from advisor.domain.catalogue import Catalogue
from advisor.domain.model import Languages, Model
from advisor.domain.quality import FittedAbility
from advisor.domain.recommend import Recommendation, recommend
from advisor.domain.supersession import comparisons, is_newer_sibling, successors
from advisor.paths import knowledge_dir
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, RTX_4090, constraints, figures, gpu, machine, model

TASKS = ("chat", "coding", "reasoning", "math", "translation", "summarization", "agents", "vision")
OLDER = model("older", release_date="2024-01-10")
NEWER = model("newer", release_date="2025-01-10")


@cache
def shipped() -> Catalogue:
    return load_catalogue(knowledge_dir())


def advise(
    *models: Model, named: tuple[str, ...] = (), abilities: dict[str, float] | None = None, **answers: Any
) -> Recommendation:
    """`abilities` are what a fit over published results would have found, in logits."""
    here = machine(64 * GIB)
    asked = constraints(**{"latency__tokens_per_s": None, **answers})
    quality = replace(shipped().quality, models={name: fitted(at) for name, at in (abilities or {}).items()})
    catalogue = replace(shipped(), models=models, quality=quality)
    return recommend(here, asked, catalogue, figures(here), named=named)


def fitted(ability: float) -> FittedAbility:
    alike, known = dict.fromkeys(TASKS, ability), dict.fromkeys(TASKS, 0.2)
    return FittedAbility(alike, known, alike, known, 9, dict.fromkeys(TASKS, 3), 0, frozenset())


def passing(found: Recommendation) -> set[str]:
    return {c.model.id for c in found.ranked}


def reason(found: Recommendation, model_id: str) -> str:
    (only,) = next(r for r in found.rejected if r.model.id == model_id).reasons
    assert only.code == "superseded"
    return only.text


def test_a_newer_sibling_that_is_in_nothing_worse_sets_the_older_aside_with_all_figures() -> None:
    found = advise(OLDER, replace(NEWER, max_context_tokens=131072))
    assert passing(found) == {"newer"}
    text = reason(found, "older")
    assert "newer is newer and in nothing worse" in text
    for criterion in ("quality", "speed", "memory", "licence duties", "languages", "context", "input"):
        assert f"{criterion} " in text
    assert "context 131,072 tokens against 32,768 tokens" in text


@pytest.mark.parametrize(
    "loss",
    [
        {"languages": Languages(("en",), None)},
        {"languages": Languages(("en", "de", "es"), None)},
        {"max_context_tokens": 16384},
        {"shape": LLAMA_3_8B, "text_params": 8_030_261_248},
        {"licence": "llama3.1"},
        {"release_date": "2024-01-10"},
        {"release_date": None},
        {"line": "another"},
        {"family": "llama"},
    ],
    ids=lambda loss: next(iter(loss)),
)
def test_one_loss_is_enough_to_keep_the_older(loss: dict[str, Any]) -> None:
    assert passing(advise(OLDER, replace(NEWER, **loss))) == {"older", "newer"}


def test_what_the_newer_cannot_take_in_keeps_the_older() -> None:
    seeing = replace(OLDER, modalities=("text", "image"))
    assert passing(advise(seeing, NEWER)) == {"older", "newer"}


def test_a_newer_sibling_that_does_not_pass_sets_nothing_aside() -> None:
    found = advise(OLDER, replace(NEWER, languages=Languages(("de",), None)))
    assert passing(found) == {"older"}


def test_a_named_model_is_admitted() -> None:
    assert passing(advise(OLDER, NEWER, named=("older",))) == {"older", "newer"}


def test_a_named_successor_of_another_line_counts_through_the_whole_chain() -> None:
    between = model("between", line="b", release_date="2024-06-01", superseded_by="last", licence="mrl-0.1")
    last = replace(NEWER, id="last", line="c")
    found = advise(replace(OLDER, superseded_by="between"), between, last)
    assert passing(found) == {"last"}
    assert "last is newer" in reason(found, "older")


def test_a_newer_sibling_of_lower_quality_leaves_the_older_in_place() -> None:
    assert passing(advise(OLDER, NEWER, abilities={"older": 0.0, "newer": 0.3})) == {"newer"}
    assert passing(advise(OLDER, NEWER, abilities={"older": 1.0, "newer": -1.0})) == {"older", "newer"}


def test_between_a_model_and_its_named_successor_a_close_call_in_quality_is_no_loss() -> None:
    close = {"older": 0.1, "newer": 0.0}
    assert passing(advise(OLDER, NEWER, abilities=close)) == {"older", "newer"}
    found = advise(replace(OLDER, superseded_by="newer"), NEWER, abilities=close)
    assert passing(found) == {"newer"}
    assert "too close to call" in reason(found, "older")


def test_a_circle_of_successors_ends() -> None:
    one = replace(OLDER, superseded_by="newer")
    other = replace(NEWER, superseded_by="older")
    assert successors(one, replace(shipped(), models=(one, other))) == ("newer",)


def test_a_month_is_not_later_than_a_day_in_it() -> None:
    day, month = replace(OLDER, release_date="2024-05-22"), replace(NEWER, release_date="2024-05")
    assert not is_newer_sibling(month, day, ())
    assert not is_newer_sibling(day, month, ())
    assert is_newer_sibling(replace(NEWER, release_date="2024-06"), day, ())


MACHINES = {
    "processor": machine(24 * GIB),
    "one GPU": machine(64 * GIB, gpu(24 * GIB)),
    "two GPUs": machine(256 * GIB, gpu(80 * GIB), gpu(80 * GIB, index=1)),
}


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("task", ["chat", "coding"])
def test_whatever_the_catalogue_sets_aside_is_nowhere_better(name: str, task: str) -> None:
    here = MACHINES[name]
    found = recommend(here, constraints(task__kind=task), shipped(), figures(here, RTX_4090))
    aside = tuple(r.model.id for r in found.rejected if r.reasons[0].code == "superseded")
    assert aside
    whole = recommend(here, constraints(task__kind=task), shipped(), figures(here, RTX_4090), named=aside)
    for model_id in aside:
        heir = reason(found, model_id).removeprefix("superseded: ").split()[0]
        assert all(_has_no_edge(c, whole.candidates_of(heir)) for c in whole.candidates_of(model_id))


def _has_no_edge(older: Candidate, newer: tuple[Candidate, ...]) -> bool:
    is_named = newer[0].model.id in successors(older.model, shipped())
    return any(_is_nowhere_worse(heir, older, is_named=is_named) for heir in newer)


def _is_nowhere_worse(newer: Candidate, older: Candidate, *, is_named: bool) -> bool:
    assert newer.speed is not None
    assert older.speed is not None
    return (
        newer.rating.low >= older.rating.low or (is_named and newer.rating.high >= older.rating.low)
    ) and all((
        newer.speed.decode_tokens_per_s >= older.speed.decode_tokens_per_s * 0.999,
        newer.fit.footprint.total_bytes <= older.fit.footprint.total_bytes * 1.001,
        len(newer.licence.obligations) <= len(older.licence.obligations),
        set(newer.model.languages.supported or ()) >= set(older.model.languages.supported or ()),
        (newer.model.max_context_tokens or 0) >= (older.model.max_context_tokens or 0),
        set(newer.model.modalities) >= set(older.model.modalities),
    ))  # fmt: skip


def test_a_few_bytes_more_and_other_words_of_a_notice_are_no_ground_to_keep_the_older() -> None:
    here = MACHINES["processor"]
    found = recommend(here, constraints(), shipped(), figures(here))
    assert "llama-3.1-8b-instruct is newer" in reason(found, "llama-3-8b-instruct")


def test_reweighing_brings_no_model_back() -> None:
    here = MACHINES["one GPU"]
    weights = {f"preferences__weights.{name}": w for name, w in (("quality", 0.0), ("ecosystem", 50.0))}
    one = recommend(here, constraints(), shipped(), figures(here))
    other = recommend(here, constraints(**weights), shipped(), figures(here))
    assert {c.id for c in one.quantizations} == {c.id for c in other.quantizations}


def test_comparisons_of_a_candidate_with_itself_hold() -> None:
    here = MACHINES["one GPU"]
    for candidate in recommend(here, constraints(), shipped(), figures(here)).quantizations:
        assert all(c.holds for c in comparisons(candidate, candidate, is_successor=False))
