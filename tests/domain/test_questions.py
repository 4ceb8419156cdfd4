from __future__ import annotations

import dataclasses
import typing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from advisor.catalog.questions import load_questionnaire
from advisor.domain import constraints as c
from advisor.domain.answers import answers_document, constraints_from, merge_document
from advisor.domain.questions import Question, Questionnaire, answer_text, read_answer
from advisor.errors import InputError
from advisor.paths import knowledge_dir

QUESTIONS: Questionnaire = load_questionnaire(knowledge_dir())


def test_defaults_make_valid_constraints() -> None:
    found = constraints_from(QUESTIONS.defaults())
    assert found.task.context_tokens == 8192
    assert found.machine.reserve_ram_bytes == 2 << 30
    assert found.latency.ttft_ms is None
    assert found.use.fine_tune is found.task.fine_tune


def test_every_choice_is_one_that_the_domain_knows() -> None:
    sections = {
        "use": c.Use,
        "task": c.Task,
        "machine": c.MachineLimits,
    }
    for question in QUESTIONS.questions:
        if question.kind != "choice":
            continue
        section, _, name = question.key.partition(".")
        hint = typing.get_type_hints(sections[section])[name]
        assert set(question.choices) == set(typing.get_args(hint)), question.key


def test_every_field_of_the_constraints_has_a_question() -> None:
    keys = set(QUESTIONS.keys())
    renamed = {"machine.reserve_ram_bytes": "machine.reserve_ram", "machine.reserve_vram_bytes": "machine.reserve_vram"}
    for section in dataclasses.fields(c.Constraints):
        part = typing.get_type_hints(c.Constraints)[section.name]
        for field in dataclasses.fields(part):
            key = f"{section.name}.{field.name}"
            if key in ("use.fine_tune", "preferences.weights"):
                continue
            assert renamed.get(key, key) in keys
    assert {f.name for f in dataclasses.fields(c.Weights)} == {
        key.removeprefix("preferences.weights.") for key in keys if key.startswith("preferences.weights.")
    }


@pytest.mark.parametrize("question", QUESTIONS.questions, ids=lambda q: q.key)
def test_the_default_reads_back_from_its_own_text(question: typing.Any) -> None:
    assert read_answer(question, answer_text(question, question.default)) == question.default


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown key 'task.contxt_tokens'.*'task.context_tokens'"):
        QUESTIONS["task.contxt_tokens"]


@pytest.mark.parametrize(
    ("key", "raw", "message"),
    [
        ("use.mau", -1, "out of range"),
        ("use.mau", True, "cannot be used"),
        ("use.mau", "81z", "expected a whole number of at least 0"),
        ("latency.tokens_per_s", "fast", "expected a number from 0.01"),
        ("use.mau", 1.5, "cannot be used"),
        ("task.kind", "codng", "Did you mean 'coding'"),
        ("languages.required", ["english!"], "is no language code"),
        ("machine.reserve_ram", "lots", "is no size"),
        ("latency.percentile", 100, "from 50 to 99"),
        ("use.country", "Germany", "two capital letters"),
        ("preferences.families", [], "choose at least"),
        ("scale.requests_per_user_hour", float("nan"), "out of range"),
        ("use.commercial", "maybe", "true or false"),
    ],
)
def test_what_cannot_be_used_names_key_value_and_remedy(key: str, raw: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_answer(QUESTIONS[key], raw)
    assert key in str(caught.value)


def test_words_and_toml_values_mean_the_same() -> None:
    assert read_answer(QUESTIONS["languages.required"], "FR, pt_BR") == ("fr", "pt-BR")
    assert read_answer(QUESTIONS["languages.required"], ["fr", "pt-BR"]) == ("fr", "pt-BR")
    assert read_answer(QUESTIONS["use.commercial"], "no") is False
    assert read_answer(QUESTIONS["latency.ttft_ms"], "none") is None
    assert read_answer(QUESTIONS["use.mau"], "5,000,000") == 5_000_000


def test_a_document_overlays_the_defaults_and_names_what_is_wrong() -> None:
    merged = merge_document(QUESTIONS, QUESTIONS.defaults(), {"task": {"kind": "coding"}}, name="needs.toml")
    assert merged["task.kind"] == "coding"
    with pytest.raises(InputError, match=r"needs.toml: unknown key 'use.commerical'. Did you mean 'use.commercial'"):
        merge_document(QUESTIONS, {}, {"use": {"commerical": True}}, name="needs.toml")
    with pytest.raises(InputError, match="schema_version"):
        merge_document(QUESTIONS, {}, {"schema_version": 2}, name="needs.toml")


def test_answers_survive_the_way_through_a_document() -> None:
    answers = {**QUESTIONS.defaults(), "languages.required": ("fr", "de"), "latency.ttft_ms": 2000}
    assert merge_document(QUESTIONS, QUESTIONS.defaults(), answers_document(answers), name="x") == answers


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {f"preferences.weights.{w}": 0.0 for w in ("quality", "speed", "headroom", "ecosystem", "licence")},
            "all are 0",
        ),
        ({"task.context_tokens": 512, "scale.prompt_tokens": 512}, "cannot hold a prompt"),
    ],
)
def test_answers_that_contradict_one_another_are_refused(answers: dict[str, typing.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        constraints_from({**QUESTIONS.defaults(), **answers})


ANY_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(st.sampled_from(QUESTIONS.questions), ANY_VALUE)
@example(QUESTIONS["latency.tokens_per_s"], 3.14159265)
def test_any_value_gives_an_answer_that_reads_back_or_an_input_error(question: Question, raw: object) -> None:
    try:
        answer = read_answer(question, raw)
    except InputError:
        return
    assert read_answer(question, answer_text(question, answer)) == answer
