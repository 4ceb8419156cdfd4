"""The plot: where dots lie, what the line joins, and that it reads without colour at every size."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from advisor.tui.widgets.canvas import SIZES, Dot, draw, frame, front, ticks

DOTS = st.lists(
    st.builds(
        Dot,
        key=st.uuids().map(str),
        label=st.integers(1, 99).map(str),
        speed=st.floats(0.001, 5000),
        quality=st.floats(0, 1),
        size=st.integers(0, len(SIZES) - 1),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda d: d.key,
)


@given(DOTS)
def test_the_front_holds_exactly_the_dots_that_no_other_beats(dots: list[Dot]) -> None:
    kept = front(dots)
    beaten = [d for d in dots if any(_beats(other, d) for other in dots)]
    assert not set(kept) & set(beaten)
    assert {(d.speed, d.quality) for d in kept} == {(d.speed, d.quality) for d in dots if d not in beaten}
    assert [d.speed for d in kept] == sorted(d.speed for d in kept)


def _beats(one: Dot, other: Dot) -> bool:
    at_least = one.speed >= other.speed and one.quality >= other.quality
    return at_least and (one.speed, one.quality) != (other.speed, other.quality)


@given(DOTS, st.integers(20, 250), st.integers(8, 80))
def test_every_dot_lies_inside_and_the_selected_one_is_in_brackets(dots: list[Dot], width: int, height: int) -> None:
    drawing = draw(dots, front(dots), dots[0].key, width, height)
    assert len(drawing.rows) == height
    assert all(len(row) == width for row in drawing.rows)
    for x, y in drawing.places.values():
        assert 0 <= x < width
        assert 0 <= y < height - 2
    x, y = drawing.places[dots[0].key]
    shown = "".join(drawing.rows[y][x : x + 2])
    assert shown == f"[{SIZES[dots[0].size]}" or shown[0] == SIZES[dots[0].size]
    assert drawing.kinds[x, y] == "chosen"


@given(DOTS)
def test_faster_is_further_right_and_better_is_higher(dots: list[Dot]) -> None:
    box = frame(dots, 70, 18)
    cells = {d.key: box.cell(d.speed, d.quality) for d in dots}
    for one in dots:
        for other in dots:
            if one.speed > other.speed:
                assert cells[one.key][0] >= cells[other.key][0]
            if one.quality > other.quality:
                assert cells[one.key][1] <= cells[other.key][1]


def test_equal_ratios_of_speed_are_equal_distances() -> None:
    box = frame([Dot("a", "", 1, 0.5, 0), Dot("b", "", 100, 0.5, 0)], 101, 10)
    first, second, third = (box.cell(speed, 0.5)[0] for speed in (1, 10, 100))
    assert abs((second - first) - (third - second)) <= 1


def test_ticks_are_round_and_lie_on_the_axis() -> None:
    assert ticks(math.log10(3), math.log10(60)) == [5, 10, 20, 50]


def test_the_axes_say_unit_and_scale() -> None:
    dots = [Dot("a", "1", 8, 0.7, 0), Dot("b", "2", 20, 0.5, 1)]
    drawing = draw(dots, front(dots), "a", 78, 20)
    text = "\n".join("".join(row) for row in drawing.rows)
    assert "speed in tokens/s, logarithmic" in text
    assert "quality, 0 to 1" in text
    assert f"[{SIZES[0]}1]" in text
    assert f"{SIZES[1]}2" in text
    assert "└─" in text
