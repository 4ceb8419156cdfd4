"""What a file type costs in ability, read from the curve that was fitted to published perplexities and MMLU scores.

`benchmarks/quantization_curve.py` says what the curve is and fits it; knowledge/quality.toml holds the outcome.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from advisor.values import value

UNMEASURED = "nobody published what this file type loses: taken from the curve over bits per weight"
UNKNOWN_TYPE = "nothing is known of what this file type loses"


@value
class Loss:
    """Logits of ability that a file type costs."""

    logits: float
    deviation: float
    """Standard deviation, on the side of a larger loss."""
    note: str | None = None
    """What is unknown about it."""


LOSSLESS = Loss(0.0, 0.0)


@value
class TypeLoss:
    """One file type on the reference model."""

    bits: float
    """Per weight, of the whole file."""
    log_loss: float
    """Natural logarithm of the loss in logits of ability."""
    deviation: float
    """Of that logarithm."""
    measured: bool


@value
class Series:
    """Models trained alike lose alike."""

    shift: float
    """Added to the logarithm of the loss."""
    deviation: float


@value
class QuantizationLosses:
    """The curve."""

    types: Mapping[str, TypeLoss]
    lossless: frozenset[str]
    """File types that keep the weights as they were published."""
    size_exponent: float
    """Negative: the loss goes with this power of the parameters."""
    size_deviation: float
    reference_params: float
    series: Mapping[str, Series]
    other: Series
    """For models of no series that was measured."""
    lines: Mapping[str, str]
    """Line of models to series."""

    def loss(self, quantization: str, params: float | None, line: str) -> Loss:
        """Logits lost by a model of that many effective parameters and of that line.

        Unknown parameters count as the reference's, and an unknown type as the worst that is known, give or take all
        of it.
        """
        if quantization in self.lossless:
            return LOSSLESS
        known = self.types.get(quantization)
        found = known or max(self.types.values(), key=lambda one: one.log_loss)
        series = self.series.get(self.lines.get(line, ""), self.other)
        scale = 0.0 if params is None else math.log(params / self.reference_params)
        middle = math.exp(found.log_loss + series.shift + self.size_exponent * scale)
        spread = math.hypot(found.deviation, series.deviation, self.size_deviation * scale)
        if known is None:
            return Loss(middle, middle * max(1.0, math.expm1(spread)), UNKNOWN_TYPE)
        return Loss(middle, middle * math.expm1(spread), None if known.measured else UNMEASURED)
