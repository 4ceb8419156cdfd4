from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.hardware import Machine
from advisor.domain.licence import Verdict
from advisor.domain.model import Languages
from advisor.domain.recommend import Recommendation, judge_licence, recommend
from advisor.paths import knowledge_dir
from advisor.units import GIB
from tests.builders import RTX_4090, constraints, figures, gpu, machine, model


@cache
def shipped() -> Catalogue:
    return load_catalogue(knowledge_dir())


def advise(here: Machine | None = None, catalogue: Catalogue | None = None, **answers: Any) -> Recommendation:
    found = here or machine(24 * GIB)
    return recommend(found, constraints(**answers), catalogue or shipped(), figures(found, RTX_4090))


def reasons_of(found: Recommendation, model_id: str) -> dict[str, str | None]:
    rejection = next(r for r in found.rejected if r.model.id == model_id)
    return {reason.code: reason.fix for reason in rejection.reasons}


def test_every_model_is_either_ranked_or_rejected_with_a_reason() -> None:
    found = advise()
    listed = {c.model.id for c in found.ranked} | {r.model.id for r in found.rejected}
    assert listed == {m.id for m in shipped().models if m.related_only is None}
    assert all(r.reasons for r in found.rejected)


def test_scores_fall_down_the_ranking() -> None:
    totals = [c.score.total for c in advise().ranked]
    assert totals == sorted(totals, reverse=True)


def test_the_terms_of_a_score_add_up_to_it() -> None:
    for candidate in advise().ranked:
        assert sum(t.contribution for t in candidate.score.terms) == pytest.approx(candidate.score.total)
        assert sum(t.weight for t in candidate.score.terms) == pytest.approx(1)
        assert all(0 <= t.value <= 1 for t in candidate.score.terms)


def test_a_licence_that_withholds_the_use_excludes() -> None:
    found = advise(use__mau_at_release=900_000_000)
    assert {c.model.family for c in found.ranked} == {"mistral"}
    assert "licence" in reasons_of(found, "llama-3.1-8b-instruct")


def test_research_use_admits_a_research_licence() -> None:
    research = advise(
        machine(256 * GIB),
        use__commercial=False, use__purpose="research", use__entity="university", use__deployment="internal",
        latency__tokens_per_s=None,
    )  # fmt: skip
    assert "mistral-large-2411" in {c.model.id for c in research.ranked}
    commercial = advise(machine(256 * GIB), latency__tokens_per_s=None)
    assert "licence" in reasons_of(commercial, "mistral-large-2411")


def test_languages_exclude_by_the_card_and_name_the_change() -> None:
    found = advise(languages__required=("en", "hi"), latency__tokens_per_s=None)
    assert all("hi" in (c.model.languages.supported or ()) for c in found.ranked)
    assert reasons_of(found, "mistral-nemo-12b-instruct")["languages"] == "drop hi from languages.required"


def test_an_unknown_list_of_languages_is_never_taken_for_support() -> None:
    mute = replace(shipped(), models=(model("mute", languages=Languages(None, "no card")),))
    found = advise(catalogue=mute)
    assert "languages" in reasons_of(found, "mute")


def test_a_context_beyond_the_model_excludes_with_the_longest_it_has() -> None:
    found = advise(machine(256 * GIB), task__context_tokens=65536, latency__tokens_per_s=None)
    assert reasons_of(found, "mistral-7b-instruct-v0.3")["context"] == "set task.context_tokens to 32768 or less"


def test_a_vision_task_asks_for_a_model_with_eyes() -> None:
    found = advise(machine(64 * GIB), task__kind="vision", latency__tokens_per_s=None)
    assert found.ranked
    assert all("image" in c.model.modalities for c in found.ranked)


def test_a_model_whose_image_encoder_has_an_unknown_size_says_that_it_is_not_counted() -> None:
    mute = "mistral-small-3.2-24b-instruct"
    models = tuple(replace(m, vision_params=None) if m.id == mute else m for m in shipped().models)
    for kind, expected in (("vision", {mute}), ("chat", set())):
        found = advise(
            machine(64 * GIB), replace(shipped(), models=models), task__kind=kind, latency__tokens_per_s=None
        )
        assert mute in {c.model.id for c in found.ranked}
        assert {c.model.id for c in found.ranked if any("image encoder" in w for w in c.warnings)} == expected


def test_eu_licensees_are_kept_from_multimodal_llamas() -> None:
    found = advise(machine(256 * GIB), use__eu_based=True, latency__tokens_per_s=None)
    assert "licence" in reasons_of(found, "llama-4-scout")
    assert "llama-3.3-70b-instruct" in {c.model.id for c in found.ranked}


def test_setting_what_a_memory_rejection_proposes_admits_the_model() -> None:
    here = machine(int(9.2 * GIB))
    found = advise(here, task__context_tokens=32768, latency__tokens_per_s=None, machine__reserve_ram=0)
    rejection = next(r for r in found.rejected if any("set task.context_tokens" in (x.fix or "") for x in r.reasons))
    (fix,) = [x.fix for x in rejection.reasons if x.fix]
    tokens = int(fix.rsplit("(", 1)[1].rstrip(")"))
    asked = constraints(task__context_tokens=tokens, latency__tokens_per_s=None, machine__reserve_ram=0)
    again = recommend(here, asked, shipped(), figures(here), named=(rejection.model.id,))
    assert rejection.model.id in {c.model.id for c in again.ranked}


@pytest.mark.parametrize(("model", "ram"), [("mistral-nemo-12b-instruct", 8), ("llama-4-scout", 42)])
def test_the_context_that_a_memory_rejection_proposes_is_the_longest_that_fits(model: str, ram: int) -> None:
    """Also where layers with a window do not give memory back in proportion."""
    needs: dict[str, Any] = {"latency__tokens_per_s": None}
    here, catalogue = machine(ram * GIB), replace(shipped(), models=tuple(m for m in shipped().models if m.id == model))
    (rejection,) = advise(here, catalogue, task__context_tokens=131072, **needs).rejected
    (reason,) = rejection.reasons
    assert reason.code == "memory"
    assert reason.change is not None
    (change,) = reason.change.settings
    assert isinstance(change.value, int)
    for tokens, passes in ((change.value, True), (change.value + 256, False)):
        found = advise(here, catalogue, task__context_tokens=tokens, **needs)
        assert (rejection.quantization in {c.quantization.name for c in found.quantizations}) is passes


def test_a_shorter_context_is_proposed_only_where_the_candidate_then_passes_in_every_respect() -> None:
    """Also in speed: a type that just did not fit is slower than a smaller one that fits and is too slow."""
    here = machine(16 * GIB)
    asked: dict[str, Any] = {"task__context_tokens": 120_000, "latency__tokens_per_s": 8.0}
    found, n_proposed = advise(here, **asked), 0
    for rejection in found.rejected:
        for change in [r.change for r in rejection.reasons if r.code == "memory" and r.change is not None]:
            n_proposed += 1
            shorter = {**asked, "task__context_tokens": change.settings[0].value}
            again = recommend(
                here, constraints(**shorter), shipped(), figures(here), quantization=rejection.quantization,
                named=(rejection.model.id,),
            )  # fmt: skip
            assert rejection.model.id in {c.model.id for c in again.ranked}, rejection.reasons
    assert n_proposed


def test_setting_what_a_speed_rejection_proposes_admits_the_model() -> None:
    found = advise(machine(64 * GIB), latency__tokens_per_s=8.0)
    fix = reasons_of(found, "mistral-small-3.2-24b-instruct")["decode_speed"]
    assert fix is not None
    rate = float(fix.split(" to ")[1].split(" or ")[0])
    again = advise(machine(64 * GIB), latency__tokens_per_s=rate)
    assert "mistral-small-3.2-24b-instruct" in {c.model.id for c in again.ranked}


def test_related_models_are_recommended_only_when_named() -> None:
    related = [m.id for m in shipped().models if m.related_only and m.shape and m.languages.supported]
    assert related
    here = machine(400 * GIB)
    asked = constraints(latency__tokens_per_s=None)
    named = recommend(here, asked, shipped(), figures(here), named=(related[0],))
    listed = {c.model.id for c in named.ranked} | {r.model.id for r in named.rejected}
    assert related[0] in listed
    assert related[0] not in {c.model.id for c in advise(here).ranked}


def test_an_older_sibling_of_the_same_size_gives_way_unless_named() -> None:
    here = machine(64 * GIB)
    found = advise(here, latency__tokens_per_s=None)
    assert "mistral-small-3.2-24b-instruct" in {c.model.id for c in found.ranked}
    assert reasons_of(found, "mistral-small-24b-instruct-2501") == {
        "superseded": "name it: --model mistral-small-24b-instruct-2501"
    }
    asked = constraints(latency__tokens_per_s=None)
    older = ("mistral-small-24b-instruct-2501",)
    named = recommend(here, asked, shipped(), figures(here), named=older)
    assert older[0] in {c.model.id for c in named.ranked}


def test_memory_that_wobbles_does_not_move_the_ranking() -> None:
    still = advise(machine(24 * GIB, available=20 * GIB))
    moved = advise(machine(24 * GIB, available=19 * GIB))
    assert [c.id for c in still.ranked] == [c.id for c in moved.ranked]


def test_a_file_type_can_be_asked_for_alone() -> None:
    here = machine(64 * GIB)
    found = recommend(here, constraints(), shipped(), figures(here), quantization="Q6_K")
    assert {c.quantization.name for c in found.quantizations} == {"Q6_K"}


def test_users_ask_for_slots_and_slots_for_cache() -> None:
    one = advise(machine(64 * GIB), scale__users=1)
    many = advise(machine(64 * GIB), scale__users=2000)
    first = next(c for c in one.quantizations if c.id == "llama-3.2-3b-instruct:Q4_K_M")
    second = next(c for c in many.quantizations if c.id == "llama-3.2-3b-instruct:Q4_K_M")
    slots = second.fit.placement.parallel
    assert slots > 1
    assert second.fit.footprint.kv_cache_bytes == slots * first.fit.footprint.kv_cache_bytes
    assert many.plan is not None
    assert many.plan.replicas > 1


@settings(max_examples=15, deadline=None)
@given(
    ram=st.integers(1, 600),
    cards=st.lists(st.integers(4, 96), max_size=3),
    context=st.sampled_from([1024, 8192, 32768, 131072]),
    speed=st.sampled_from([None, 1.0, 10.0, 100.0]),
)
def test_whatever_is_recommended_passes_every_gate(
    ram: int, cards: list[int], context: int, speed: float | None
) -> None:
    here = machine(ram * GIB, *(gpu(v * GIB, index=i) for i, v in enumerate(cards)))
    found = advise(here, task__context_tokens=context, latency__tokens_per_s=speed)
    for candidate in found.quantizations:
        assert candidate.fit.fits
        assert candidate.fit.placement.slot_tokens >= context
        assert context <= (candidate.model.max_context_tokens or 0)
        assert speed is None or (candidate.speed is not None and candidate.speed.decode_tokens_per_s >= speed)
        assert not candidate.languages.missing


def test_a_licence_that_nobody_established_says_what_was_read_about_it() -> None:
    model_of = shipped().model("mistral-large-4-1t-a52b")
    assert model_of is not None
    finding = judge_licence(model_of, shipped(), constraints())
    assert finding.verdict is Verdict.UNKNOWN
    assert "leaves the licence empty" in finding.reasons[-1]
