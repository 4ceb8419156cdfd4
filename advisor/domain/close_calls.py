"""Whether two ratings can be told apart.

Abilities are taken as independent normal variables. They are relative to the mean of the catalogue, which takes out
what all have in common; `benchmarks/quality.md` holds the spread of their differences against the joint posterior.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

from advisor.domain.quality import Rating

CLEARLY = 0.95
"""Chance from which one is clearly better: the level at which a difference is commonly called significant."""
PROBABLY = 0.8
"""Chance from which one is probably better: four in five."""


class Verdict(StrEnum):
    """What can be said of two candidates."""

    CLEARLY_BETTER = "clearly better"
    PROBABLY_BETTER = "probably better"
    TOO_CLOSE = "too close to call"
    PROBABLY_WORSE = "probably worse"
    CLEARLY_WORSE = "clearly worse"


def chance_better(one: Rating, other: Rating, *, same_model: bool = False) -> float:
    """Probability that the first has the higher ability at the task.

    Two quantizations of one model share its ability, whatever that is: then only what quantization costs counts.
    Two that were in the user's trial are told apart by the trial alone, with the tasks taken as two samples; its own
    report compares them task by task, which tells more.
    """
    is_derived = same_model and (one.tried_in or other.tried_in)
    if one.n_tried and other.n_tried and not is_derived:
        gap, spread = one.ability - other.ability, math.hypot(one.trial_deviation, other.trial_deviation)
    elif same_model:
        gap, spread = other.loss - one.loss, math.hypot(one.loss_deviation, other.loss_deviation)
    else:
        gap, spread = one.ability - other.ability, math.hypot(one.deviation, other.deviation)
    if spread == 0.0:
        return 0.5 if gap == 0.0 else float(gap > 0.0)
    return 0.5 * math.erfc(-gap / (spread * math.sqrt(2)))


def compare(one: Rating, other: Rating, *, same_model: bool = False) -> Verdict:
    """What can be said of the first against the second; the second against the first gets the mirrored word."""
    better = chance_better(one, other, same_model=same_model)
    worse = chance_better(other, one, same_model=same_model)
    if max(better, worse) < PROBABLY:
        return Verdict.TOO_CLOSE
    if better > worse:
        return Verdict.CLEARLY_BETTER if better >= CLEARLY else Verdict.PROBABLY_BETTER
    return Verdict.CLEARLY_WORSE if worse >= CLEARLY else Verdict.PROBABLY_WORSE


def too_close(chosen: Rating, others: Iterable[tuple[str, Rating]]) -> tuple[str, ...]:
    """Names of those whose quality cannot be told apart from the chosen one's, in the given order."""
    return tuple(name for name, rating in others if compare(chosen, rating) is Verdict.TOO_CLOSE)
