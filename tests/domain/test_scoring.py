from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.scoring import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


def test_the_front_holds_what_nothing_beats() -> None:
    points = [(1, 5), (2, 4), (1, 4), (5, 1), (2, 4)]
    assert pareto_front(points, points) == ((1, 5), (2, 4), (5, 1), (2, 4))


@given(POINTS)
def test_every_point_off_the_front_is_beaten_by_one_on_it(points: list[tuple[int, int]]) -> None:
    front = pareto_front(points, points)
    assert front
    for point in points:
        beaten = any(f[0] >= point[0] and f[1] >= point[1] and f != point for f in front)
        assert (point in front) != beaten
