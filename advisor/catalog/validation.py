"""The base of the schemas in this package, and validation with an error that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from advisor.schema_errors import explained

MOST = (1 << 53) - 1
"""Of a count in a knowledge file: what a float holds exactly, so that no arithmetic can overflow."""


class StrictModel(BaseModel):
    """Base of the tables in knowledge/: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DatedSource(StrictModel):
    """What figures rest on, and the day on which somebody last looked."""

    text: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(min_length=1)] | None = None
    checked: date


def validate(schema: type[StrictModel], document: Mapping[str, Any], *, name: str) -> None:
    """Hold a document against its schema. Raises InputError `name: place: what is wrong`."""
    try:
        schema.model_validate(document)
    except ValidationError as error:
        raise explained(error, schema, document, name=name) from error
