"""What an answer is said to exclude equals what taking it back really admits."""

from __future__ import annotations

from functools import cache

import pytest

from advisor.domain.answers import constraints_from
from advisor.domain.constraints import Constraints
from advisor.domain.exclusions import MENDS, NAMES, Exclusion, exclusions, least_answer
from advisor.domain.hardware import Machine
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB

ADVISOR = Advisor()
FAMILIES = ("llama", "mistral")
NEEDS: dict[str, dict[str, Answer]] = {
    "defaults": {},
    "two languages and a wait": {"languages.required": ("fr", "ja"), "latency.ttft_ms": 3000},
    "images in the EU": {"use.modality": "image", "use.eu_based": True, "preferences.families": ("mistral",)},
    "a vision task for many": {"task.kind": "vision", "scale.users": 400, "machine.reserve_ram": 12 * GIB},
    "long and fast": {"task.context_tokens": 65536, "latency.tokens_per_s": 25.0, "scale.concurrent_requests": 3},
    "too many users for Llama": {"use.mau_at_release": 10**9, "languages.required": ("en", "de")},
    "training others": {"use.train_other_models": True, "use.train_target": "other_llm"},
    "no processor": {"machine.allow_cpu": False, "machine.reserve_vram": 8 * GIB},
}


@cache
def machine(gpu: str, ram_gib: int) -> Machine:
    return ADVISOR.machine(MachineChoice(gpu=gpu, ram_bytes=ram_gib * GIB))


SMALL, LARGE = ("none", 24), ("RTX 4070", 32)


def advise(place: tuple[str, int], constraints: Constraints) -> Recommendation:
    return ADVISOR.recommend(machine(*place), constraints)


@cache
def examined(needs: str, place: tuple[str, int]) -> tuple[dict[str, Answer], Recommendation, tuple[Exclusion, ...]]:
    answers = {**ADVISOR.questionnaire.defaults(), **NEEDS[needs]}
    found = advise(place, constraints_from(answers))
    return answers, found, tuple(exclusions(found, answers, ADVISOR.catalogue, lambda c: advise(place, c)))


def passing(found: Recommendation) -> set[str]:
    return {c.model.id for c in found.ranked}


def superseded(found: Recommendation) -> set[str]:
    return {r.model.id for r in found.rejected if r.reasons[0].code == "superseded"}


@pytest.mark.parametrize(
    ("needs", "place"),
    [
        *((needs, SMALL) for needs in NEEDS if needs != "no processor"),
        *((needs, LARGE) for needs in ("defaults", "long and fast", "no processor")),
    ],
)
def test_the_count_of_every_answer_is_what_taking_it_back_admits(needs: str, place: tuple[str, int]) -> None:
    answers, found, counted = examined(needs, place)
    said = {one.key: one.alone for one in counted}
    for key in (*MENDS, "preferences.families"):
        least = least_answer(key, answers, FAMILIES)
        after = advise(place, constraints_from({**answers, key: least}))
        assert said.get(key, frozenset()) == passing(after) - passing(found) - superseded(found), key


@pytest.mark.parametrize("needs", ["images in the EU", "training others"])
def test_what_an_answer_about_the_use_excludes_some_other_answer_admits(needs: str) -> None:
    answers, found, counted = examined(needs, SMALL)
    questions = {q.key: q for q in ADVISOR.questionnaire.questions if q.section == "use" and q.key != "use.modality"}
    said = {one.key: one.alone for one in counted}
    for key, question in questions.items():
        others: tuple[Answer, ...] = tuple(question.choices) or (False, True) if question.kind != "integer" else (0,)
        others = ("US", "FR") if question.kind == "text" else others
        after = [advise(SMALL, constraints_from({**answers, key: other})) for other in others]
        admitted = set().union(*(passing(one) for one in after)) - passing(found) - superseded(found)
        assert said.get(key, frozenset()) == admitted, key


@pytest.mark.parametrize("needs", NEEDS)
def test_models_counted_with_others_fail_on_the_answer_and_on_something_else(needs: str) -> None:
    _, found, counted = examined(needs, SMALL)
    codes = {r.model.id: {reason.code for reason in r.reasons} for r in found.rejected}
    for one in counted:
        assert not one.alone & one.with_others
        for model in one.with_others:
            if not one.key.startswith("use."):
                assert codes[model] & {code for code, keys in NAMES.items() if one.key in keys}, (one.key, model)
            else:
                assert codes[model] & {"licence", "modality"}, (one.key, model)


def test_a_ban_that_three_answers_cause_counts_for_none_of_them_alone() -> None:
    _, found, counted = examined("defaults", SMALL)
    said = {one.key: one for one in counted}
    banned = {r.model.id for r in found.rejected if r.licence.licence == "mrl-0.1"}
    assert banned
    for key in ("use.commercial", "use.purpose", "use.entity"):
        assert banned & said[key].with_others
        assert not banned & said[key].alone


def test_the_user_limit_of_llama_is_what_its_question_excludes() -> None:
    _, _, counted = examined("too many users for Llama", SMALL)
    said = {one.key: one.alone for one in counted}
    assert said["use.mau_at_release"]
    assert all(model.startswith("llama") for model in said["use.mau_at_release"])


def test_nobody_who_stops_early_pays_for_the_rest() -> None:
    answers = {**ADVISOR.questionnaire.defaults(), **NEEDS["two languages and a wait"]}
    found = advise(SMALL, constraints_from(answers))
    asked: list[Constraints] = []

    def again(constraints: Constraints) -> Recommendation:
        asked.append(constraints)
        return advise(SMALL, constraints)

    next(exclusions(found, answers, ADVISOR.catalogue, again))
    assert len(asked) <= 2
