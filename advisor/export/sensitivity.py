"""How firm the first place is, as plain values."""

from __future__ import annotations

from typing import Any

from advisor.domain.reweighting import N_DRAWS, SPREAD
from advisor.domain.sensitivity import ConstraintChange, Sensitivity, WeightChange
from advisor.domain.sensitivity_words import firmness_lines

Document = dict[str, Any]


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
