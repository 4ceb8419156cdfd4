"""Answers judged: what must hold, what only warns, and what cannot be said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.smoke_answers import (
    NEEDLE,
    AnswerFacts,
    Finding,
    LanguageAnswer,
    LongAnswer,
    Structured,
    judge_answers,
)

PLAIN = AnswerFacts("rendered", n_answers=3, n_ended=3, is_repeatable=True)
FRENCH = LanguageAnswer("fr", True, "La mer est bleue.", "fr", 0.99)


def found(facts: AnswerFacts, id_: str) -> Finding:
    (finding,) = [f for f in judge_answers(facts) if f.id == id_]
    return finding


def test_a_plain_run_is_judged_by_template_stop_and_repetition_alone() -> None:
    assert [(f.id, f.passed) for f in judge_answers(PLAIN)] == [("template", True), ("stop", True), ("repeat", True)]


def test_a_refused_template_fails_and_a_missing_one_warns() -> None:
    refused = found(replace(PLAIN, template="refused", template_reason="did not end within 5 s"), "template")
    assert (refused.passed, refused.required, refused.text) == (False, True, "its chat template did not end within 5 s")
    missing = found(replace(PLAIN, template="missing"), "template")
    assert (missing.passed, missing.required) == (False, False)


def test_a_model_that_never_stops_is_told_with_the_length() -> None:
    endless = found(replace(PLAIN, n_ended=0, longest_tokens=96), "stop")
    assert endless.passed is False
    assert "96 tokens" in endless.text
    assert found(replace(PLAIN, n_ended=1), "stop").passed


@pytest.mark.parametrize(
    ("change", "passed", "said"),
    [
        ({}, True, "answers in it (99% sure)"),
        ({"probability": 0.4}, None, "not clear"),
        ({"found": "en", "probability": 0.95}, False, "answers in en (95% sure)"),
        ({"found": "en", "probability": 0.7}, None, "not clear"),
        ({"found": None}, None, "not judged"),
        ({"problem": "py3langid cannot be loaded"}, None, "py3langid cannot be loaded"),
        ({"text": " \n"}, False, "wrote nothing"),
    ],
)
def test_the_language_of_an_answer(change: dict[str, object], passed: bool | None, said: str) -> None:
    answer = replace(FRENCH, **change)  # type: ignore[arg-type]  # one field of any type
    finding = found(replace(PLAIN, languages=(answer,)), "language")
    assert finding.passed is passed
    assert said in finding.text


@pytest.mark.parametrize(
    ("asked", "written"), [("nb", "no"), ("no", "da"), ("hr", "sr"), ("id", "ms"), ("pt-BR", "pt")]
)
def test_languages_that_few_sentences_cannot_tell_apart_count_as_one(asked: str, written: str) -> None:
    answer = replace(FRENCH, tag=asked, found=written)
    assert found(replace(PLAIN, languages=(answer,)), "language").passed


def test_a_preferred_language_only_warns_and_an_unknown_one_is_not_judged() -> None:
    english = replace(FRENCH, is_required=False, found="en")
    facts = replace(PLAIN, languages=(english,), unasked=("yo",))
    wrong, unknown = [f for f in judge_answers(facts) if f.id == "language"]
    assert (wrong.passed, wrong.required) == (False, False)
    assert (unknown.passed, unknown.text) == (None, "yo not tried: no question is known in it")


@given(st.floats(0, 1), st.sampled_from(["fr", "en"]))
def test_a_surer_identifier_never_turns_a_verdict_into_its_opposite(probability: float, written: str) -> None:
    answer = replace(FRENCH, found=written, probability=probability)
    passed = found(replace(PLAIN, languages=(answer,)), "language").passed
    assert passed in (None, written == "fr")


def long(**change: object) -> Finding:
    answer = LongAnswer(8192, 8100, f"It is {NEEDLE}.", 30.0)
    return found(replace(PLAIN, long=replace(answer, **change)), "context")  # type: ignore[arg-type]


def test_the_context_is_judged_at_the_length_that_was_asked_for() -> None:
    assert long().passed
    assert long(text="I do not know.").passed is False
    assert not long(text="I do not know.").required
    shorter = long(n_prompt=1000, full_seconds=240.0)
    assert shorter.passed is None
    assert "1,000 tokens instead of 8,192, which would take 4 min 0 s or more" in shorter.text
    assert long(n_prompt=1000, text="?").passed is False
    died = long(problem="llama_decode returned 1")
    assert (died.passed, died.required) == (False, True)


@pytest.mark.parametrize(
    ("text", "problem", "passed"),
    [
        ('{"tool": "get_weather", "city": "Lisbon", "days": 3}', None, True),
        ('{"tool": "get_weather"}', None, False),
        ('{"tool": "get_wea', None, False),
        ("3", None, False),
        ("", "llama.cpp refuses the grammar", False),
    ],
)
def test_a_tool_call_must_parse(text: str, problem: str | None, passed: bool) -> None:
    finding = found(replace(PLAIN, structured=Structured(text, problem)), "structure")
    assert (finding.passed, finding.required) == (passed, True)
