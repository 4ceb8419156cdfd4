from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.dominance import Point, pareto_front

SMALL = st.integers(0, 6)
ANY = st.floats(allow_nan=False)
POINTS = st.one_of(
    st.lists(st.tuples(SMALL, SMALL, SMALL), max_size=40),
    st.lists(st.tuples(ANY, ANY, ANY), max_size=25),
)


def beats(one: Point, other: Point) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


def test_the_front_holds_what_nothing_beats_in_the_order_given() -> None:
    points: list[Point] = [(1, 5, 0), (2, 4, 0), (1, 4, 0), (5, 1, 0), (2, 4, 0), (0, 0, 1)]
    names = ["a", "b", "c", "d", "b again", "e"]
    assert pareto_front(names, points) == ("a", "b", "d", "b again", "e")


@given(POINTS)
def test_the_front_is_the_one_that_comparing_all_pairs_finds(points: list[Point]) -> None:
    places = list(range(len(points)))
    expected = [i for i in places if not any(beats(other, points[i]) for other in points)]
    assert list(pareto_front(places, points)) == expected
