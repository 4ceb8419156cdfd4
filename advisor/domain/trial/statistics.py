"""Intervals and tests for scores of a trial. Every function is exact or seeded, so that the same answers give the same
figures.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

LEVEL = 0.95
"""Of intervals: the level at which tests are made, too, so that both say the same."""
RESAMPLES = 2000
"""Efron and Tibshirani, An Introduction to the Bootstrap (1993), p. 275: at least 1000 for percentile intervals."""
POWER = 0.8
"""Chance that a difference of the observed size would be found: Cohen's convention (1988)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds of its interval."""

    middle: float
    low: float
    high: float


def wilson(successes: float, n: int, level: float = LEVEL) -> Interval:
    """A share with its score interval. Source: E. B. Wilson, JASA 22 (1927), 209–212. `n` is at least 1."""
    z = _z(level)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At shares of 0 and 1 the bound is the share itself; the sums may miss it by a rounding.
    return Interval(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)))


def bootstrap_mean(values: Sequence[float], level: float = LEVEL, *, seed: int = 0, block: int = 1) -> Interval:
    """A mean with its percentile interval, by drawing the values again, or blocks of neighbours.

    Source: Efron and Tibshirani (1993), chapter 13; blocks that may wrap around, for values that depend on their
    neighbours: Politis and Romano (1992), the circular block bootstrap. `values` has at least one.
    """
    middle = fmean(values)
    n, size = len(values), max(1, min(block, len(values)))
    if size == 1:
        sums, weights = list(values), [1] * n
    else:
        wrapped = [*values, *values[: size - 1]]
        sums = [math.fsum(wrapped[start : start + size]) for start in range(n)]
        weights = [size] * n
    n_draws = max(1, round(n / size))
    drawn = random.Random(seed)
    means = sorted(math.fsum(drawn.choices(sums, k=n_draws)) / (n_draws * weights[0]) for _ in range(RESAMPLES))
    return Interval(middle, quantile(means, (1 - level) / 2), quantile(means, (1 + level) / 2))


def bootstrap_ratio(
    tops: Sequence[float], bottoms: Sequence[float], level: float = LEVEL, *, seed: int = 0, block: int = 1
) -> Interval:
    """A ratio of sums with its percentile interval: numerators and denominators are drawn together, in blocks."""
    n, size = len(tops), max(1, min(block, len(tops)))
    starts = range(n)
    top_sums = _block_sums(tops, size)
    bottom_sums = _block_sums(bottoms, size)
    drawn = random.Random(seed)
    ratios = []
    for _ in range(RESAMPLES):
        chosen = drawn.choices(starts, k=max(1, round(n / size)))
        bottom = math.fsum(bottom_sums[i] for i in chosen)
        if bottom:
            ratios.append(math.fsum(top_sums[i] for i in chosen) / bottom)
    ratios.sort()
    return Interval(
        math.fsum(tops) / math.fsum(bottoms), quantile(ratios, (1 - level) / 2), quantile(ratios, (1 + level) / 2)
    )


def _block_sums(values: Sequence[float], size: int) -> list[float]:
    wrapped = [*values, *values[: size - 1]]
    return [math.fsum(wrapped[start : start + size]) for start in range(len(values))]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share lies, between neighbours in proportion (type 7 of Hyndman and Fan, 1996)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def binomial_p(wins: int, losses: int) -> float:
    """Two-sided exact p of McNemar's test: whether wins and losses are a fair coin's.

    Source: Q. McNemar, Psychometrika 12 (1947), with the binomial distribution in place of chi-squared.
    """
    n = wins + losses
    return min(1.0, 2 * sum(_half_pmf(k, n) for k in range(min(wins, losses) + 1)))


def mid_p(wins: int, losses: int) -> float:
    """Two-sided mid-p of the same test: what was observed counts half, which takes off the test's caution.

    Source: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013).
    """
    n = wins + losses
    at = _half_pmf(wins, n)
    return 1 - at / 2 if wins == losses else binomial_p(wins, losses) - at


def paired_difference(both: int, one: int, other: int, neither: int, level: float = LEVEL) -> Interval:
    """The difference of two shares over the same tasks, the first less the second, with its interval.

    `both` were right in both, `one` in the first alone, `other` in the second alone. Source: R. G. Newcombe,
    Statistics in Medicine 17 (1998), 2635–2650, method 10: square-and-add of Wilson intervals with a correlation.
    """
    n = both + one + other + neither
    first, second = wilson(both + one, n, level), wilson(both + other, n, level)
    correlation = _correlation(both, one, other, neither)
    down, up = first.middle - first.low, first.high - first.middle
    down2, up2 = second.middle - second.low, second.high - second.middle
    difference = (one - other) / n
    low = difference - math.sqrt(max(0.0, down * down - 2 * correlation * down * up2 + up2 * up2))
    high = difference + math.sqrt(max(0.0, up * up - 2 * correlation * up * down2 + down2 * down2))
    return Interval(difference, low, high)


def tasks_for_mcnemar(one: int, other: int, n: int, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """Tasks that would show a difference with this power if the observed shares of discordant tasks are the true ones.

    None where both are right alone equally often: then there is no difference to be shown. Source: R. J. Connor,
    Biometrics 43 (1987), 207–211.
    """
    difference, discordant = (one - other) / n, (one + other) / n
    if one == other:
        return None
    z_level, z_power = _z(level), NormalDist().inv_cdf(power)
    root = z_level * math.sqrt(discordant) + z_power * math.sqrt(max(0.0, discordant - difference * difference))
    return math.ceil((root / difference) ** 2)


def tasks_for_mean(differences: Sequence[float], *, level: float = LEVEL, power: float = POWER) -> int | None:
    """The same for graded scores, from the scatter of the paired differences; None where there is no difference.

    Source: the normal approximation, n = ((z + z') · sd / mean)², as in Cohen (1988).
    """
    mean = fmean(differences)
    if mean == 0 or len(differences) < 2:
        return None
    return max(2, math.ceil(((_z(level) + NormalDist().inv_cdf(power)) * stdev(differences) / mean) ** 2))


def sign_flip_p(differences: Sequence[float], *, seed: int = 0, n_flips: int = 2_000) -> float:
    """Two-sided p of a paired permutation test: how often signs given by chance bring a mean as far from 0.

    Source: R. A. Fisher, The Design of Experiments (1935), by random signs; the observed one counts as one of them
    (Phipson and Smyth, 2010).
    """
    moved = [difference for difference in differences if difference]
    observed = abs(math.fsum(moved))
    drawn = random.Random(seed)
    n_as_far = 0
    for _ in range(n_flips):
        bits = drawn.getrandbits(len(moved)) if moved else 0
        total = math.fsum(value if bits >> i & 1 else -value for i, value in enumerate(moved))
        n_as_far += abs(total) >= observed - 1e-12
    return (n_as_far + 1) / (n_flips + 1)


def _correlation(both: int, one: int, other: int, neither: int) -> float:
    """Phi of the two by two table, less Yates' correction where it is positive, as method 10 has it."""
    product = (both + one) * (other + neither) * (both + other) * (one + neither)
    if product == 0:
        return 0.0
    cross = both * neither - one * other
    if cross > 0:
        cross_corrected = max(cross - (both + one + other + neither) / 2, 0.0)
        return cross_corrected / math.sqrt(product)
    return cross / math.sqrt(product)


def _half_pmf(k: int, n: int) -> float:
    return math.comb(n, k) / (1 << n)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
