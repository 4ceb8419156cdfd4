"""How firm the first place is: which weight would have to change for another model to lead, and how often one does
when all weights are a little different.

A score is linear in the weights but for their sum, which is the same for all. So when one weight changes, the weighted
sums move on straight lines and the leader changes where two lines cross; the walk along the upper envelope of these
lines is exact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from advisor.domain.constraints import Weights
from advisor.domain.reweighting import N_DRAWS, Option, leader, winners
from advisor.domain.scoring import CRITERIA, weights_of
from advisor.values import value

__all__ = [
    "ConstraintChange", "Option", "Rival", "Sensitivity", "Value", "WeightChange", "WeightRange", "sensitivity",
]  # fmt: skip

ROBUST = 0.95
"""Share of reweightings from which on a first place is called robust."""
MOST_WEIGHT = 100.0
"""The largest weight that can be given (knowledge/questions.toml)."""
_MOST_DIGITS = 12


@value
class WeightChange:
    """One weight changed until another model leads."""

    criterion: str
    weight: float
    """As it was given."""
    crossing: float
    """Where both are level; beyond it the rival leads."""
    changed: float
    """A short number just beyond: with this weight and all others as given, `rival` ranks first."""
    rival: Option

    @property
    def factor(self) -> float | None:
        """Changed over given; None where the criterion had no weight."""
        return self.changed / self.weight if self.weight else None

    @property
    def distance(self) -> float:
        """How much is changed, as the logarithm of the ratio; infinite from or to 0."""
        if not self.weight or not self.changed:
            return math.inf
        return abs(math.log(self.changed / self.weight))


@value
class WeightRange:
    """Between which weights of one criterion the pick stays first, all other weights as given."""

    criterion: str
    weight: float
    share: float
    """Of all weights, 0..1."""
    lower: WeightChange | None
    """None where no smaller weight changes the pick."""
    upper: WeightChange | None
    """None where no larger one does, up to MOST_WEIGHT."""

    @property
    def nearest(self) -> WeightChange | None:
        """The smallest change that changes the pick; None where no change of this weight alone does."""
        return min([c for c in (self.lower, self.upper) if c is not None], key=lambda c: c.distance, default=None)


Value = int | float | None


@value
class ConstraintChange:
    """One requirement changed until another model leads."""

    key: str
    """In the constraints file."""
    current: Value
    changed: Value
    """With this value, and all else as it was, the pick is another; None for a requirement dropped."""
    holds: Value
    """The last value tried with which the pick's model was still first."""
    holds_quantization: str
    """Its quantization then."""
    rival: str | None
    """Who leads then, as model:quantization; None where nothing passes."""
    why: str
    """What becomes of the present pick."""


@value
class Rival:
    """A model that ranks first in some reweightings."""

    model: str
    n_wins: int

    @property
    def share(self) -> float:
        return self.n_wins / N_DRAWS


@value
class Sensitivity:
    """How firm the first place of a model is."""

    model: str
    n_options: int
    """Models that pass."""
    n_stays: int
    """Reweightings of N_DRAWS in which the model stays first, in whichever quantization."""
    n_same_quantization: int
    """Of these, those in the same quantization."""
    rivals: tuple[Rival, ...]
    """Who wins otherwise, most often first."""
    weights: tuple[WeightRange, ...]
    """One for each criterion."""
    constraints: tuple[ConstraintChange, ...] | None = None
    """None where nobody asked for them: they take many runs of the pipeline."""

    @property
    def stability(self) -> float:
        """Share of reweightings in which the model stays first, 0..1."""
        return self.n_stays / N_DRAWS

    @property
    def is_robust(self) -> bool:
        return self.stability >= ROBUST

    @property
    def nearest(self) -> WeightChange | None:
        """The smallest change of one weight that changes the pick."""
        found = [r.nearest for r in self.weights if r.nearest is not None]
        return min(found, key=lambda c: (c.distance, c.criterion), default=None)


def sensitivity(options: Sequence[Option], given: Weights) -> Sensitivity:
    """The firmness of the first in rank among options of which at least one exists."""
    weights = weights_of(given)
    pick = leader(options, weights)
    won = winners(options, weights)
    wins = Counter(option.model for option in won)
    rivals = [Rival(model, n) for model, n in wins.items() if model != pick.model]
    ranges = [
        WeightRange(
            criterion=criterion,
            weight=weights[i],
            share=weights[i] / sum(weights),
            lower=_change(options, weights, i, pick, up=False),
            upper=_change(options, weights, i, pick, up=True),
        )
        for i, criterion in enumerate(CRITERIA)
    ]
    return Sensitivity(
        model=pick.model,
        n_options=len({option.model for option in options}),
        n_stays=wins[pick.model],
        n_same_quantization=sum(option.id == pick.id for option in won),
        rivals=tuple(sorted(rivals, key=lambda r: (-r.n_wins, r.model))),
        weights=tuple(ranges),
    )


@value
class _Line:
    """The weighted sum of an option while one weight moves away from where it was given."""

    option: Option
    start: float
    slope: float

    def meets(self, other: _Line) -> float:
        """How far the weight has moved where a steeper line reaches this one."""
        return (self.start - other.start) / (other.slope - self.slope)


def _change(
    options: Sequence[Option], weights: tuple[float, ...], i: int, pick: Option, *, up: bool
) -> WeightChange | None:
    others = sum(weights[:i]) + sum(weights[i + 1 :])
    # Without any other criterion the weight of the only one does not matter.
    if not others:
        return None
    for moved in _crossings(
        _lines(options, weights, i, 1 if up else -1), pick, MOST_WEIGHT - weights[i] if up else weights[i]
    ):
        crossing = weights[i] + moved if up else max(0.0, weights[i] - moved)
        for changed in _short_numbers_beyond(crossing, up=up):
            rival = leader(options, (*weights[:i], changed, *weights[i + 1 :]))
            if rival.model != pick.model:
                return WeightChange(CRITERIA[i], weights[i], crossing, changed, rival)
    return None


def _lines(options: Sequence[Option], weights: tuple[float, ...], i: int, sign: int) -> list[_Line]:
    sums = [sum([v * w for v, w in zip(option.values, weights, strict=True)]) for option in options]
    return [_Line(option, start, sign * option.values[i]) for option, start in zip(options, sums, strict=True)]


def _crossings(lines: list[_Line], pick: Option, most: float) -> Iterator[float]:
    """Where the upper envelope, followed from the pick's line, passes to a line of another model."""
    current = next(line for line in lines if line.option.id == pick.id)
    moved = 0.0
    while True:
        steeper = [line for line in lines if line.slope > current.slope]
        # Of lines that meet in one point the steepest leads beyond it.
        following = min(
            steeper, key=lambda line: (max(moved, current.meets(line)), -line.slope, line.option.id), default=None
        )
        if following is None:
            return
        moved = max(moved, current.meets(following))
        if moved > most:
            return
        current = following
        if current.option.model != pick.model:
            yield moved


def _short_numbers_beyond(crossing: float, *, up: bool) -> Iterator[float]:
    """Numbers of few digits at and just beyond a crossing, the shortest first, within what can be given."""
    magnitude = math.floor(math.log10(crossing)) if crossing > 0 else 0
    for digits in range(2, _MOST_DIGITS):
        places = digits - 1 - magnitude
        unit = 10.0**-places
        steps = crossing / unit
        first = math.ceil(steps) if up else math.floor(steps)
        for step in (first, first + 1 if up else first - 1):
            number = round(step * unit, max(0, places))
            if 0 <= number <= MOST_WEIGHT:
                yield number
