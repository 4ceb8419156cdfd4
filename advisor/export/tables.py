"""Building blocks of the schema of a recommendation file.

The description of a field is both the JSON schema's and the comment that stands beside the value in the file.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from advisor.domain.basis import Basis
from advisor.domain.languages import Support
from advisor.domain.licence import Verdict

T = TypeVar("T")

_LARGEST = (1 << 63) - 1
"""TOML 1.0 guarantees integers of 64 bits."""

Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
AnyBasis = Annotated[Basis, Field(strict=False)]
AnyVerdict = Annotated[Verdict, Field(strict=False)]
AnySupport = Annotated[Support, Field(strict=False)]


class Table(BaseModel):
    """Base of the tables: frozen, no unknown keys, no silent conversion of types, no infinite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    one_line: ClassVar[bool] = False
    """Whether the file writes it as an inline table."""


class OneLineTable(Table):
    """A table that the file writes in one line."""

    one_line: ClassVar[bool] = True


class ReadingTable(OneLineTable, Generic[T]):
    """One probed value with its source; without a value, the reason says why."""

    value: T | None = None
    source: str
    reason: str | None = None
    hint: str | None = None


def table_in(annotation: object) -> type[Table] | None:
    """The table that a field's annotation is about: itself, or inside `X | None`, `list[X]` or `Annotated`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((found for part in get_args(annotation) if (found := table_in(part))), None)
