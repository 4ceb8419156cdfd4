from __future__ import annotations

from typing import Any

import pytest

from advisor.domain.answers import answers_document, merge_document
from advisor.errors import InputError
from advisor.export.constraints_schema import constraints_schema
from tests.export.schema_check import Validator, schema_text
from tests.export.support import KNOWLEDGE, advisor, without_none


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return constraints_schema(advisor().questionnaire)


def _leaves(schema: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key, part in schema["properties"].items():
        found |= _leaves(part, f"{prefix}{key}.") if "properties" in part else {f"{prefix}{key}": part}
    return found


def test_the_committed_schema_is_the_one_of_the_questionnaire(schema: dict[str, Any]) -> None:
    committed = (KNOWLEDGE / "schema" / "constraints.schema.json").read_text("utf-8")
    assert committed == schema_text(schema), "write what `llm-advisor schema constraints` prints to that file"


def test_there_is_one_key_for_each_question_and_the_version(schema: dict[str, Any]) -> None:
    assert set(_leaves(schema)) == {"schema_version", *advisor().questionnaire.keys()}


def test_every_key_carries_title_help_and_default_of_its_question(schema: dict[str, Any]) -> None:
    leaves = _leaves(schema)
    for question in advisor().questionnaire.questions:
        leaf = leaves[question.key]
        assert leaf["title"] == question.title
        assert leaf["description"].startswith(question.help)
        assert Validator(leaf).problems(leaf["default"]) == []


def test_the_defaults_obey_the_schema(schema: dict[str, Any]) -> None:
    defaults = without_none(answers_document(advisor().questionnaire.defaults()))
    assert Validator(schema).problems({"schema_version": 1, **defaults}) == []


GOOD: list[dict[str, Any]] = [
    {},
    {"machine": {"reserve_ram": "4GiB", "reserve_vram": 0}},
    {"latency": {"ttft_ms": "none", "tokens_per_s": 7}},
    {"languages": {"required": ["pt-BR", "fr"]}},
    {"preferences": {"families": ["llama"], "weights": {"speed": 0}}},
    {"use": {"country": "DE", "eu_based": True}},
    {"use": {"country": ""}},
]
BAD: list[dict[str, Any]] = [
    {"machines": {}},
    {"use": {"maau": 1}},
    {"use": {"mau": -1}},
    {"use": {"mau": "many"}},
    {"use": {"country": "Germany"}},
    {"task": {"kind": "cooking"}},
    {"task": {"context_tokens": 100}},
    {"languages": {"required": ["not a tag"]}},
    {"machine": {"reserve_ram": "4 elephants"}},
    {"preferences": {"families": []}},
    {"latency": {"percentile": 100}},
    {"latency": {"ttft_ms": "never"}},
]


def _is_read(document: dict[str, Any]) -> bool:
    questionnaire = advisor().questionnaire
    try:
        merge_document(questionnaire, questionnaire.defaults(), document, name="file")
    except InputError:
        return False
    return True


@pytest.mark.parametrize("document", GOOD, ids=str)
def test_the_schema_and_the_reader_accept(document: dict[str, Any], schema: dict[str, Any]) -> None:
    assert Validator(schema).problems(document) == []
    assert _is_read(document)


@pytest.mark.parametrize("document", BAD, ids=str)
def test_the_schema_and_the_reader_refuse(document: dict[str, Any], schema: dict[str, Any]) -> None:
    assert Validator(schema).problems(document) != []
    if document != {"machines": {}}:  # an empty table has no key that could be wrong
        assert not _is_read(document)
