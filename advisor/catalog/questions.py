"""The questionnaire, read from `questions.toml`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor._toml import load_toml
from advisor.domain.questions import Question, QuestionKind, Questionnaire, Section, read_answer
from advisor.errors import InputError


class _SectionEntry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    title: str


class _QuestionEntry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str
    kind: QuestionKind
    title: str
    help: str
    default: Any = None
    choices: dict[str, str] = {}
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    optional: bool = False
    advanced: bool = False


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: int
    section: list[_SectionEntry]
    question: list[_QuestionEntry]


def load_questionnaire(directory: Path) -> Questionnaire:
    """Read and check the questionnaire. Raises InputError naming the file and the entry."""
    path = directory / "questions.toml"
    try:
        file = _File.model_validate(load_toml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {place}: {first['msg']}") from error
    questions = tuple(_question(entry, path) for entry in file.question)
    return Questionnaire(tuple(Section(s.id, s.title) for s in file.section), questions)


def _question(entry: _QuestionEntry, path: Path) -> Question:
    bare = Question(
        key=entry.key,
        kind=entry.kind,
        title=entry.title,
        help=entry.help,
        default=None,
        choices=entry.choices,
        minimum=entry.min,
        maximum=entry.max,
        pattern=entry.pattern,
        optional=entry.optional,
        advanced=entry.advanced,
    )
    try:
        default = read_answer(bare, entry.default)
    except InputError as error:
        raise InputError(f"{path}: default of {error}") from error
    return replace(bare, default=default)
