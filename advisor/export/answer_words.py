"""The questionnaire's own words as comments beside the answers in [constraints]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, create_model

from advisor.domain.questions import Question, Questionnaire
from advisor.export.recommendation_schema import RecommendationFile
from advisor.export.tables import Table


def explained_file(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> type[Table]:
    """The schema of the file with the questions as descriptions of the answers."""
    sections = {
        section.id: (_section(questionnaire.of_section(section.id), section.id, answers), ...)
        for section in questionnaire.sections
    }
    fields: dict[str, Any] = {"constraints": (_table("constraints", sections), ...)}
    return create_model("ExplainedFile", __base__=RecommendationFile, **fields)


def _section(questions: tuple[Question, ...], path: str, answers: Mapping[str, Any]) -> type[Table]:
    """The table of the questions whose key begins with a path."""
    fields: dict[str, Any] = {}
    for question in questions:
        name, _, rest = question.key.removeprefix(f"{path}.").partition(".")
        if rest:
            below = f"{path}.{name}"
            inside = tuple(q for q in questions if q.key.startswith(f"{below}."))
            fields[name] = (_section(inside, below, answers), ...)
        else:
            fields[name] = (Any, Field(description=_words(question, answers)))
    return _table(path, fields)


def _table(name: str, fields: Mapping[str, Any]) -> type[Table]:
    table = create_model(name, __base__=Table, **fields)
    table.__doc__ = None  # else it were the base's, and the comment above the table
    return table


def _words(question: Question, answers: Mapping[str, Any]) -> str:
    """The title and, for a choice, what the answer means."""
    answer: Any = answers
    for part in question.key.split("."):
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    meaning = question.choices.get(answer) if isinstance(answer, str) else None
    text = question.title if meaning in (None, answer) else f"{question.title}: {meaning}"
    return " ".join(text.split())
