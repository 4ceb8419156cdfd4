"""What is at least as good in everything: the Pareto front of points, without weighing one criterion with another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

Point = tuple[float, float, float]
"""Three values, more is better in each."""


def pareto_front(items: Sequence[T], points: Iterable[Point]) -> tuple[T, ...]:
    """The items, in their order, that no other beats in one value without losing in another.

    Of equal points all stay. Points are swept by falling first value; a staircase keeps, of those already seen, the
    best third value for each second one, so that a point costs one bisection (Kung, Luccio and Preparata, JACM 22(4),
    1975).
    """
    given = list(points)
    staircase = _Staircase()
    efficient = {point for point in sorted(set(given), reverse=True) if staircase.admits(point[1], point[2])}
    return tuple(item for item, point in zip(items, given, strict=True) if point in efficient)


class _Staircase:
    """Pairs of which none is at least another in both values: the second falls while the first rises."""

    def __init__(self) -> None:
        self._firsts: list[float] = []
        self._seconds: list[float] = []

    def admits(self, first: float, second: float) -> bool:
        """Whether no pair here is at least this one; if so, it takes the place of those that it is at least."""
        place = bisect_left(self._firsts, first)
        if place < len(self._firsts) and self._seconds[place] >= second:
            return False
        # The pair at `place` may have the same first value and a smaller second one.
        end = place + (place < len(self._firsts) and self._firsts[place] == first)
        start = place
        while start and self._seconds[start - 1] <= second:
            start -= 1
        self._firsts[start:end] = [first]
        self._seconds[start:end] = [second]
        return True
