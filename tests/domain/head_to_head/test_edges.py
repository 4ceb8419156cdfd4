"""Who is ahead: only by more than the figures are uncertain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.head_to_head.edges import QUOTIENT_SPREAD, fastest, highest, lowest
from advisor.domain.head_to_head.values import Edge, EdgeKind

POSITIVE = st.floats(0.1, 1e6)


def say(gap: float) -> str:
    return f"{gap:g} apart"


def test_the_lower_leads_where_a_tenth_lies_between() -> None:
    edge = lowest([8, 16], say)
    assert edge is not None
    assert (edge.kind, edge.subject, edge.text) == (EdgeKind.LEADS, 0, "8 apart")


def test_the_higher_leads_among_four() -> None:
    edge = highest([1, 4, 2, 3], say)
    assert edge is not None
    assert (edge.subject, edge.text) == (1, "1 apart")


def test_less_than_a_tenth_is_close_and_nothing_is_even() -> None:
    close, even = lowest([100, 105], say), lowest([7, 7], say)
    assert close is not None
    assert even is not None
    assert (close.kind, even.kind) == (EdgeKind.CLOSE, EdgeKind.EVEN)


def test_a_third_that_is_far_off_is_not_called_close() -> None:
    assert text_of(lowest([5.84, 6.16, 17.32], str)) == "the best two are less than a tenth apart"
    assert text_of(lowest([5.84, 6.16, 6.2], str)) == "less than a tenth apart"
    assert text_of(fastest([6.0, 5.7, 1.1])) == "too close to call between the best two: 5% apart"


def text_of(edge: Edge | None) -> str | None:
    return None if edge is None else edge.text


def test_two_equal_best_are_told_from_all_equal() -> None:
    edge = highest([7, 3, 7], say)
    assert edge is not None
    assert (edge.kind, edge.text) == (EdgeKind.EVEN, "the best are equal")


def test_an_unknown_figure_leaves_nobody_ahead() -> None:
    assert lowest([1, None], say) is None
    assert fastest([None, 2.0]) is None


def test_speeds_on_one_machine_must_differ_by_more_than_their_quotient_is_uncertain() -> None:
    ahead, close = fastest([100.0, 80.0]), fastest([100.0, 95.0])
    assert ahead is not None
    assert close is not None
    assert (ahead.kind, ahead.text) == (EdgeKind.LEADS, "1.2 times as fast")
    assert close.kind is EdgeKind.CLOSE


@given(POSITIVE, POSITIVE)
def test_whoever_leads_does_so_in_either_order(a: float, b: float) -> None:
    one, other = fastest([a, b]), fastest([b, a])
    assert one is not None
    assert other is not None
    assert one.kind is other.kind
    if one.kind is EdgeKind.LEADS and other.subject is not None:
        assert one.subject == 1 - other.subject
        assert max(a, b) / min(a, b) > 1 + QUOTIENT_SPREAD
