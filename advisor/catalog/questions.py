"""The questionnaire, read from `questions.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.catalog.loader import load_languages
from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.language_names import LanguageNames
from advisor.domain.questions import Question, Questionnaire, Section, read_answer
from advisor.errors import InputError


def load_questionnaire(directory: Path, languages: LanguageNames | None = None) -> Questionnaire:
    """Read and check the questionnaire, with names of languages where they are read already. Raises InputError naming
    the file and the entry."""
    path = directory / "questions.toml"
    document = KnowledgeReader(directory).read(path, "questions")
    sections = tuple(Section(entry["id"], entry["title"]) for entry in document["section"])
    names = languages or load_languages(directory)
    return Questionnaire(sections, tuple(_question(entry, path, names) for entry in document["question"]))


def _question(entry: Mapping[str, Any], path: Path, names: LanguageNames) -> Question:
    bare = Question(
        key=entry["key"],
        kind=entry["kind"],
        title=entry["title"],
        help=entry["help"],
        default=None,
        choices=entry.get("choices", {}),
        minimum=entry.get("min"),
        maximum=entry.get("max"),
        pattern=entry.get("pattern"),
        optional=entry.get("optional", False),
        advanced=entry.get("advanced", False),
        names=names,
    )
    try:
        default = read_answer(bare, entry.get("default"))
    except InputError as error:
        raise InputError(f"{path}: default of {error}") from error
    return replace(bare, default=default)
