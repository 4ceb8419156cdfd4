"""Reweighting options that are already scored: only the weights change, what the criteria measure stays."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache

from advisor.domain.scoring import CRITERIA, rank_key
from advisor.values import value

N_DRAWS = 1_000
SPREAD = 1.5
"""Factor by which a weight is typically off: a person who says 2 may as well have said 3 or 1.33. It is the standard
deviation of the log-normal factors: two draws in three lie within it, 19 in 20 within its square. A convention of this
program; no study of such answers was found to take it from."""
SEED = 20_261_101
"""Any number would do; it stays as it is, so that the same inputs give the same shares."""

Five = tuple[float, float, float, float, float]


@value
class Option:
    """A candidate as the weights see it."""

    model: str
    quantization: str
    values: tuple[float, ...]
    """0..1 for each of CRITERIA, more is better."""

    @property
    def id(self) -> str:
        return f"{self.model}:{self.quantization}"

    def total(self, weights: Sequence[float]) -> float:
        """The score, 0..1, under weights of any sum but 0."""
        whole = sum(weights)
        return sum([value * (weight / whole) for value, weight in zip(self.values, weights, strict=True)])


def leader(options: Sequence[Option], weights: Sequence[float]) -> Option:
    """The option that ranks first, by the order that a recommendation has."""
    return min(options, key=lambda option: rank_key(option.total(weights), option.id))


@cache
def factors() -> tuple[Five, ...]:
    """N_DRAWS times one log-normal factor for each criterion, independent of each other.

    `random.Random(SEED).random()`, whose sequence Python guarantees, feeds the Box-Muller transform; a factor is
    `SPREAD ** z` with z from the standard normal distribution.
    """
    uniform = random.Random(SEED).random
    n = N_DRAWS * len(CRITERIA)
    normals: list[float] = []
    while len(normals) < n:
        radius, angle = math.sqrt(-2 * math.log(1 - uniform())), 2 * math.pi * uniform()
        normals += (radius * math.cos(angle), radius * math.sin(angle))
    flat = [SPREAD**z for z in normals[:n]]
    columns = [iter(flat)] * len(CRITERIA)
    return tuple(zip(*columns, strict=True))


def reweightings(weights: Sequence[float]) -> list[Five]:
    """The weights with each factor applied; a criterion of weight 0 stays out."""
    a, b, c, d, e = weights
    return [(a * v, b * w, c * x, d * y, e * z) for v, w, x, y, z in factors()]


def winners(options: Sequence[Option], weights: Sequence[float]) -> list[Option]:
    """The option that ranks first in each of N_DRAWS reweightings."""
    drawn = reweightings(weights)
    contenders = _contenders(options, weights, drawn)
    best = [-1.0] * len(drawn)
    first = [contenders[0]] * len(drawn)
    for option in contenders:
        v, w, x, y, z = option.values
        totals = [a * v + b * w + c * x + d * y + e * z for a, b, c, d, e in drawn]
        for i in [i for i, (new, old) in enumerate(zip(totals, best, strict=True)) if new > old]:
            best[i], first[i] = totals[i], option
    return first


def _contenders(options: Sequence[Option], weights: Sequence[float], drawn: list[Five]) -> list[Option]:
    """Without those that another is at least equal to, whatever is drawn; ordered by id, as ties are."""
    ranges = [(min(column), max(column)) for column in zip(*drawn, strict=True)]
    kept: list[Option] = []
    for option in sorted(options, key=lambda option: rank_key(option.total(weights), option.id)):
        if not any(_most_ahead(option, other, ranges) <= 0 for other in kept):
            kept.append(option)
    return sorted(kept, key=lambda option: option.id)


def _most_ahead(option: Option, other: Option, ranges: list[tuple[float, float]]) -> float:
    """By how much its weighted sum can exceed another's at most, with each weight within its range."""
    triples = zip(option.values, other.values, ranges, strict=True)
    return sum([(a - b) * (most if a > b else least) for a, b, (least, most) in triples])
