"""Reading a recommendation file back, and its JSON schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor._toml import parse_toml, toml_text
from advisor.errors import InputError
from advisor.export.constraints_schema import CONSTRAINTS_SCHEMA, DRAFT
from advisor.export.recommendation_schema import RecommendationFile
from advisor.schema_errors import explained

_HINT = "Write one with: llm-advisor recommend -o FILE"


def read_recommendation(path: Path) -> RecommendationFile:
    """A recommendation file. Raises InputError `file: key: message`, with the nearest key for an unknown one."""
    return parse_recommendation(recommendation_text(path), name=str(path))


def recommendation_text(path: Path) -> str:
    """The text of a file that is to be a recommendation. Raises InputError where it cannot be read."""
    return toml_text(path, hint=_HINT)


def parse_recommendation(text: str, *, name: str) -> RecommendationFile:
    """The same from its text; `name` stands for the file in errors."""
    document = parse_toml(text, name=name)
    if "recommendation" not in document:
        raise InputError(f"{name} is no recommendation", why="it has no table [recommendation]", hint=_HINT)
    try:
        return RecommendationFile.model_validate(document)
    except ValidationError as error:
        raise explained(error, RecommendationFile, document, name=name) from error


def json_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a recommendation file; for [constraints] it refers to the schema beside it."""
    schema = RecommendationFile.model_json_schema()
    schema["properties"]["constraints"] = {"$ref": CONSTRAINTS_SCHEMA}
    return {"$schema": DRAFT, **schema}
