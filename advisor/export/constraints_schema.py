"""JSON schema of a constraints file, generated from the questionnaire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from advisor.domain.questions import Answer, Question, QuestionKind, Questionnaire

DRAFT = "https://json-schema.org/draft/2020-12/schema"
CONSTRAINTS_SCHEMA = "constraints.schema.json"
"""Name of the committed file."""

Schema = dict[str, Any]

_SIZE_PATTERN = r"^\s*\d+(\.\d+)?\s*([kKmMgGtT]i?[bB]?|[bB])?\s*$"
_TAG_PATTERN = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"


def constraints_schema(questionnaire: Questionnaire) -> Schema:
    """JSON schema (2020-12) of a constraints file: the form in which answers are written, every key optional."""
    root = _table("Constraints of llm-advisor: what the use asks for")
    root["properties"]["schema_version"] = {"const": 1}
    for section in questionnaire.sections:
        root["properties"][section.id] = _table(section.title)
    for question in questionnaire.questions:
        *path, name = question.key.split(".")
        node = root
        for part in path:
            node = node["properties"].setdefault(part, _table(f"{part.capitalize()} of {path[0]}"))
        node["properties"][name] = _question_schema(question)
    return {"$schema": DRAFT, **root}


def _table(title: str) -> Schema:
    return {"title": title, "type": "object", "additionalProperties": False, "properties": {}}


def _question_schema(question: Question) -> Schema:
    value = _VALUES[question.kind](question)
    if question.optional:
        value = {"anyOf": [value, {"const": "none", "description": "no requirement"}]}
    default = _json_answer(question.default)
    return {"title": question.title, "description": _help(question), **value, "default": default}


def _help(question: Question) -> str:
    choices = "; ".join(f"{choice}: {words}" for choice, words in question.choices.items() if choice != words)
    return f"{question.help} ({choices})" if choices else question.help


def _json_answer(answer: Answer) -> object:
    if answer is None:
        return "none"
    return list(answer) if isinstance(answer, tuple) else answer


def _bounds(question: Question) -> Schema:
    bounds = {"minimum": question.minimum, "maximum": question.maximum}
    return {key: int(n) if n == int(n) else n for key, n in bounds.items() if n is not None}


def _size(question: Question) -> Schema:
    return {"anyOf": [{"type": "integer", **_bounds(question)}, {"type": "string", "pattern": _SIZE_PATTERN}]}


def _text(question: Question) -> Schema:
    return {"type": "string", **({"pattern": f"^({question.pattern})?$"} if question.pattern else {})}


def _choices(question: Question) -> Schema:
    return {"type": "array", "items": {"enum": list(question.choices)}, "minItems": 1, "uniqueItems": True}


def _tags(_: Question) -> Schema:
    return {"type": "array", "items": {"type": "string", "pattern": _TAG_PATTERN}}


_VALUES: dict[QuestionKind, Callable[[Question], Schema]] = {
    "bool": lambda _: {"type": "boolean"},
    "integer": lambda question: {"type": "integer", **_bounds(question)},
    "number": lambda question: {"type": "number", **_bounds(question)},
    "size": _size,
    "choice": lambda question: {"enum": list(question.choices)},
    "choices": _choices,
    "text": _text,
    "tags": _tags,
}
