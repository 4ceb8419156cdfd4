"""A question that is said to change nothing changes nothing, whatever is answered."""

from __future__ import annotations

import pytest

from advisor.domain.answers import constraints_from
from advisor.domain.idle_questions import idle_questions
from advisor.domain.questions import Answer, Question
from advisor.domain.recommend import Recommendation
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB

ADVISOR = Advisor()
NO_GPU = ADVISOR.machine(MachineChoice(gpu="none", ram_bytes=24 * GIB))
NEEDS: dict[str, dict[str, Answer]] = {
    "defaults": {},
    "mistral alone": {"preferences.families": ("mistral",)},
    "personal": {"use.commercial": False, "use.purpose": "personal", "use.entity": "individual"},
    "images": {"task.kind": "vision", "use.eu_based": True},
    "training": {"use.train_other_models": True},
}


def idle(needs: dict[str, Answer]) -> frozenset[str]:
    answers = {**ADVISOR.questionnaire.defaults(), **needs}
    return idle_questions(constraints_from(answers), ADVISOR.catalogue, NO_GPU)


def others(question: Question) -> tuple[Answer, ...]:
    if question.kind == "bool":
        return (False, True)
    if question.kind == "choice":
        return tuple(question.choices)
    if question.kind == "size":
        return (0, 4 * GIB)
    if question.kind == "number":
        return (1.0, 7.0)
    return {"use.country": ("DE", "US", ""), "latency.percentile": (50, 99)}.get(question.key, (0, 10**9, 10**11))


def outcome(found: Recommendation) -> tuple[object, ...]:
    """Everything that an answer could change."""
    ranked = tuple(
        (c.id, c.score.total, c.fit, c.speed, c.licence.verdict, c.licence.obligations) for c in found.ranked
    )
    return ranked, tuple((r.model.id, r.reasons) for r in found.rejected), found.plan


@pytest.mark.parametrize("needs", NEEDS)
def test_no_answer_to_an_idle_question_changes_the_recommendation(needs: str) -> None:
    answers = {**ADVISOR.questionnaire.defaults(), **NEEDS[needs]}
    before = outcome(ADVISOR.recommend(NO_GPU, constraints_from(answers)))
    for key in idle(NEEDS[needs]):
        for other in others(ADVISOR.questionnaire[key]):
            after = ADVISOR.recommend(NO_GPU, constraints_from({**answers, key: other}))
            assert outcome(after) == before, (key, other)


def test_what_is_trained_matters_once_something_is_trained() -> None:
    asked = {"use.train_target", "use.trained_model_distributed"}
    assert asked <= idle({})
    assert not asked & idle({"use.train_other_models": True})


def test_questions_about_llama_are_idle_where_only_mistral_is_considered() -> None:
    asked = {"use.mau_at_release", "use.eu_based", "use.train_other_models"}
    assert not asked & idle({})
    assert asked <= idle({"preferences.families": ("mistral",)})


def test_the_engine_is_idle_always_and_the_busiest_minutes_where_nobody_shares() -> None:
    alone: dict[str, Answer] = {"scale.users": 1}
    assert {"machine.engine", "scale.peak_factor", "latency.percentile"} <= idle(alone)
    assert not {"scale.peak_factor", "latency.percentile"} & idle({"scale.users": 50})
    assert "machine.engine" in idle({"scale.users": 50})


def test_memory_to_keep_free_on_gpus_matters_where_there_is_one() -> None:
    constraints = constraints_from(ADVISOR.questionnaire.defaults())
    gpu = ADVISOR.machine(MachineChoice(gpu="RTX 4070", ram_bytes=24 * GIB))
    assert "machine.reserve_vram" in idle_questions(constraints, ADVISOR.catalogue, NO_GPU)
    assert "machine.reserve_vram" not in idle_questions(constraints, ADVISOR.catalogue, gpu)
