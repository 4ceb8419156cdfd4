"""The schema of questions.toml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from advisor.catalog.validation import StrictModel
from advisor.domain.questions import QuestionKind

_Text = Annotated[str, Field(min_length=1)]


class SectionEntry(StrictModel):
    id: _Text
    title: _Text


class QuestionEntry(StrictModel):
    key: _Text
    kind: QuestionKind
    title: _Text
    help: _Text
    default: Any = None
    choices: dict[str, str] = Field(default_factory=dict)
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    optional: bool = False
    advanced: bool = False


class QuestionsFile(StrictModel):
    schema_version: Literal[1]
    section: list[SectionEntry]
    question: list[QuestionEntry]
