"""Who is ahead on a line of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from advisor.domain.head_to_head.values import Edge, EdgeKind

SMALL_SHARE = 0.1
"""Differences below a tenth decide nothing: other quantizations of the same model differ by more."""

QUOTIENT_SPREAD = 0.132
"""Of the quotient of two models' decode speeds on one device: four in five pairs of published rates lie within
(benchmarks/README.md, "calibrated by another model on the same device"). What is wrong for the device cancels out."""


def lowest(values: Sequence[float | None], say: Callable[[float], str]) -> Edge | None:
    """An edge for the lowest value, where it is a tenth below the next; `say` puts the difference in words."""
    return _edge(values, -1, say)


def highest(values: Sequence[float | None], say: Callable[[float], str]) -> Edge | None:
    """An edge for the highest value, where the next is a tenth below it."""
    return _edge(values, 1, say)


def fastest(rates: Sequence[float | None]) -> Edge | None:
    """An edge for the highest of speeds on one machine, where it is ahead by more than their quotient is uncertain."""
    if any(rate is None for rate in rates):
        return None
    known = [rate for rate in rates if rate is not None]
    best = max(range(len(known)), key=lambda i: known[i])
    quotient = known[best] / max(rate for i, rate in enumerate(known) if i != best)
    if quotient > 1 + QUOTIENT_SPREAD:
        return Edge(EdgeKind.LEADS, best, f"{quotient:.1f} times as fast")
    among = "" if len(known) == 2 else " between the best two"
    return Edge(EdgeKind.CLOSE, None, f"too close to call{among}: {quotient - 1:.0%} apart")


def _edge(values: Sequence[float | None], sign: int, say: Callable[[float], str]) -> Edge | None:
    if any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    best = max(range(len(known)), key=lambda i: sign * known[i])
    next_best = max((v for i, v in enumerate(known) if i != best), key=lambda v: sign * v)
    if known[best] == next_best:
        return Edge(EdgeKind.EVEN, None, "equal" if len(set(known)) == 1 else "the best are equal")
    if _is_close(known[best], next_best):
        among = "" if all(_is_close(known[best], value) for value in known) else "the best two are "
        return Edge(EdgeKind.CLOSE, None, f"{among}less than a tenth apart")
    return Edge(EdgeKind.LEADS, best, say(abs(known[best] - next_best)))


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= SMALL_SHARE * max(abs(one), abs(other))
