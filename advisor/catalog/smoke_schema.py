"""The schema of smoke.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from advisor.catalog.validation import StrictModel

_Tag = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
_Request = Annotated[str, Field(min_length=8, max_length=200)]


class SmokeFile(StrictModel):
    schema_version: Literal[1]
    prompts: dict[_Tag, _Request]
