"""How firm the first place is, as plain values and as a table of a recommendation file."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from advisor.domain.reweighting import N_DRAWS, SPREAD
from advisor.domain.sensitivity import ConstraintChange, Sensitivity, WeightChange
from advisor.domain.sensitivity_words import firmness_lines
from advisor.export.tables import Count, OneLineTable, Rate, Share, Table

Document = dict[str, Any]


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


def sensitivity_document(found: Sensitivity) -> Document:
    """Shares, ranges of the weights, changes of requirements where they were asked for, and rivals."""
    changes = found.constraints
    return {
        "robust": found.is_robust,
        "stability": found.stability,
        "same_quantization": found.n_same_quantization / N_DRAWS,
        "draws": N_DRAWS,
        "spread": SPREAD,
        "summary": list(firmness_lines(found)),
        "weights": [
            {
                "criterion": r.criterion,
                "weight": r.weight,
                "share": round(r.share, 4),
                "lower": None if r.lower is None else _weight_change_document(r.lower),
                "upper": None if r.upper is None else _weight_change_document(r.upper),
            }
            for r in found.weights
        ],
        "constraints": None if changes is None else [_constraint_change_document(change) for change in changes],
        "rivals": [{"model": rival.model, "share": rival.share} for rival in found.rivals],
    }


def _weight_change_document(change: WeightChange) -> Document:
    return {
        "weight": change.changed,
        "factor": None if change.factor is None else round(change.factor, 4),
        "model": change.rival.model,
        "quantization": change.rival.quantization,
    }


def _constraint_change_document(change: ConstraintChange) -> Document:
    model, _, quantization = (change.rival or "").partition(":")
    return {
        "key": change.key,
        "current": change.current,
        "changed": change.changed,
        "holds": change.holds,
        "model": model or None,
        "quantization": quantization or None,
        "why": change.why,
    }
