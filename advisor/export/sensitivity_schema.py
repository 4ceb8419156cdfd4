"""The table of a recommendation file that says how firm the first place is."""

from __future__ import annotations

from pydantic import Field

from advisor.export.tables import Count, OneLineTable, Rate, Share, Table


class WeightChangeTable(OneLineTable):
    """One weight changed until another model leads; all other weights as given."""

    weight: Rate
    factor: Rate | None = None
    model: str
    quantization: str


class WeightRangeTable(OneLineTable):
    """Where the pick changes if this weight alone does; without `lower` and `upper` it does not."""

    criterion: str
    weight: Rate
    share: Share
    lower: WeightChangeTable | None = None
    upper: WeightChangeTable | None = None


class ConstraintChangeTable(OneLineTable):
    """One requirement changed until another model leads."""

    key: str
    current: int | float | None = None
    changed: int | float | None = None
    holds: int | float | None = None
    model: str | None = None
    quantization: str | None = None
    why: str


class RivalTable(OneLineTable):
    """A model that ranks first in some reweightings."""

    model: str
    share: Share


class SensitivityTable(Table):
    """How firm the first place is: what would have to change for another model to be the pick."""

    robust: bool = Field(description="whether the model stays first in 95 % of the reweightings or more")
    stability: Share = Field(description="share of reweightings in which the model stays first")
    same_quantization: Share = Field(description="share in which it does so in the same quantization")
    draws: Count = Field(description="reweightings: every weight times a random factor, the same ones each time")
    spread: Rate = Field(description="the factor by which a weight is typically off in them")
    summary: list[str]
    weights: list[WeightRangeTable] = Field(description="where the pick changes if one weight alone does")
    constraints: list[ConstraintChangeTable] | None = Field(
        None, description="where the pick changes if one requirement alone does; with recommend --sensitivity"
    )
    rivals: list[RivalTable] = Field(description="who ranks first otherwise, most often first")
