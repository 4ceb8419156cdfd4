from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.close_calls import CLEARLY, PROBABLY, Verdict, chance_better, compare, too_close
from advisor.domain.quality import Rating

ABILITIES = st.floats(-5, 5)
DEVIATIONS = st.floats(0, 2)
MIRRORED = {
    Verdict.CLEARLY_BETTER: Verdict.CLEARLY_WORSE,
    Verdict.PROBABLY_BETTER: Verdict.PROBABLY_WORSE,
    Verdict.TOO_CLOSE: Verdict.TOO_CLOSE,
    Verdict.PROBABLY_WORSE: Verdict.PROBABLY_BETTER,
    Verdict.CLEARLY_WORSE: Verdict.CLEARLY_BETTER,
}


def rating(ability: float, deviation: float = 0.2, loss: float = 0.0, loss_deviation: float = 0.0) -> Rating:
    middle = 1 / (1 + math.exp(-ability))
    return Rating(middle, middle, middle, 1, 1, ability, deviation, loss, loss_deviation)


RATINGS = st.builds(rating, ABILITIES, DEVIATIONS, st.floats(0, 3), DEVIATIONS)


@given(one=RATINGS, other=RATINGS, same=st.booleans())
def test_the_chances_of_both_add_up_to_one_and_the_words_mirror(one: Rating, other: Rating, same: bool) -> None:
    ahead, behind = chance_better(one, other, same_model=same), chance_better(other, one, same_model=same)
    assert ahead + behind == pytest.approx(1.0)
    assert compare(other, one, same_model=same) is MIRRORED[compare(one, other, same_model=same)]


@given(one=RATINGS, other=RATINGS, more=st.floats(0.001, 3))
def test_a_higher_ability_never_lowers_the_chance(one: Rating, other: Rating, more: float) -> None:
    higher = rating(one.ability + more, one.model_deviation, one.loss, one.loss_deviation)
    assert chance_better(higher, other) >= chance_better(one, other)


@given(gap=st.floats(0.01, 3), narrow=st.floats(0.01, 1), wider=st.floats(1.01, 5))
def test_less_evidence_brings_a_leader_nearer_to_a_coin_toss(gap: float, narrow: float, wider: float) -> None:
    sure = chance_better(rating(gap, narrow), rating(0, narrow))
    unsure = chance_better(rating(gap, narrow * wider), rating(0, narrow))
    assert 0.5 < unsure <= sure


@pytest.mark.parametrize(
    ("chance", "word"),
    [
        (0.5, Verdict.TOO_CLOSE),
        (PROBABLY - 0.01, Verdict.TOO_CLOSE),
        (PROBABLY + 0.01, Verdict.PROBABLY_BETTER),
        (CLEARLY - 0.005, Verdict.PROBABLY_BETTER),
        (CLEARLY + 0.005, Verdict.CLEARLY_BETTER),
    ],
)
def test_the_words_change_at_their_thresholds(chance: float, word: Verdict) -> None:
    low, high = 0.0, 5.0
    for _ in range(60):  # the gap that gives this chance, by bisection
        middle = (low + high) / 2
        low, high = (middle, high) if chance_better(rating(middle), rating(0)) < chance else (low, middle)
    assert compare(rating(low), rating(0)) is word


def test_equal_ratings_without_doubt_are_a_coin_toss() -> None:
    assert chance_better(rating(1, 0), rating(1, 0)) == 0.5
    assert chance_better(rating(2, 0), rating(1, 0)) == 1.0
    assert compare(rating(1, 0), rating(1, 0)) is Verdict.TOO_CLOSE


def test_two_quantizations_of_one_model_differ_by_what_they_lose_alone() -> None:
    fine, coarse = rating(1.0, 0.5, 0.02, 0.01), rating(0.6, 0.5, 0.42, 0.1)
    assert compare(fine, coarse) is Verdict.TOO_CLOSE
    assert compare(fine, coarse, same_model=True) is Verdict.CLEARLY_BETTER


def test_close_calls_are_named_in_the_given_order() -> None:
    others = [("b", rating(0.1)), ("far below", rating(-3)), ("a", rating(0.0)), ("far above", rating(3))]
    assert too_close(rating(0.05), others) == ("b", "a")
