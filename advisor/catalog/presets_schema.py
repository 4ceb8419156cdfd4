"""The schema of presets.toml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from advisor.catalog.validation import StrictModel

_Text = Annotated[str, Field(min_length=1)]


class PresetEntry(StrictModel):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: _Text
    sentence: _Text
    answers: dict[str, dict[str, Any]]


class PresetsFile(StrictModel):
    schema_version: Literal[1]
    preset: list[PresetEntry]
