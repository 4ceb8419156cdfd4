"""The schema of knowledge/quality.toml."""

from __future__ import annotations

from collections.abc import Sized
from typing import Annotated, Literal

from pydantic import Field, model_validator

from advisor.catalog.validation import MOST, DatedSource, StrictModel

_Text = Annotated[str, Field(min_length=1)]
_Spread = Annotated[float, Field(ge=0)]
_Count = Annotated[int, Field(ge=0, le=MOST)]
_Positive = Annotated[float, Field(gt=0)]


class _Prior(StrictModel):
    deviation: list[_Positive]
    per_log_param: float
    per_year: float
    mean_log_params: float
    mean_years: float
    tuning_deviation: _Positive
    language_deviation: _Spread


class _Model(StrictModel):
    ability: list[float]
    deviation: list[_Positive]
    foreign: list[float]
    foreign_deviation: list[_Positive]
    n_results: _Count
    n_task_results: list[_Count]
    n_multilingual: _Count
    languages: list[_Text]


class _Series(StrictModel):
    shift: float
    deviation: _Spread


class _Type(StrictModel):
    bits: _Positive
    log_loss: float
    deviation: _Positive
    measured: bool


class _Loss(StrictModel):
    size_exponent: Annotated[float, Field(le=0)]
    size_deviation: _Spread
    reference_params: _Positive
    lossless: list[_Text]
    other: _Series
    series: dict[str, _Series]
    lines: dict[str, str]
    type: Annotated[dict[str, _Type], Field(min_length=1)]

    @model_validator(mode="after")
    def _lines_belong_to_a_series(self) -> _Loss:
        unknown = sorted(set(self.lines.values()) - set(self.series))
        if unknown:
            raise ValueError(f"lines name series that do not exist: {', '.join(unknown)}")
        return self


_BY_TASK = ("ability", "deviation", "foreign", "foreign_deviation", "n_task_results")


class QualityFile(StrictModel):
    schema_version: Literal[1]
    inputs_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sources: dict[str, DatedSource]
    tasks: Annotated[list[_Text], Field(min_length=1)]
    typical_difficulty: list[float]
    prior: _Prior
    loss: _Loss
    model: dict[str, _Model]

    @model_validator(mode="after")
    def _every_list_has_every_task(self) -> QualityFile:
        rows: dict[str, Sized] = {
            "typical_difficulty": self.typical_difficulty,
            "prior.deviation": self.prior.deviation,
        }
        for name, model in self.model.items():
            rows |= {f"model.{name}.{key}": getattr(model, key) for key in _BY_TASK}
        for name, row in rows.items():
            if len(row) != len(self.tasks):
                raise ValueError(f"{name} needs one value for each of the {len(self.tasks)} tasks")
        return self
