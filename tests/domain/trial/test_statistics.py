"""Intervals and tests, held against scipy and against what they promise."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from advisor.domain.trial.statistics import (
    binomial_p,
    bootstrap_mean,
    bootstrap_ratio,
    mid_p,
    paired_difference,
    quantile,
    sign_flip_p,
    tasks_for_mcnemar,
    tasks_for_mean,
    wilson,
)


@given(st.integers(1, 500), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_wilsons_interval_is_scipys(n: int, data: st.DataObject, level: float) -> None:
    k = data.draw(st.integers(0, n))
    expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    found = wilson(k, n, level)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= found.low <= found.middle <= found.high <= 1


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_exact_test_is_scipys(wins: int, losses: int) -> None:
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert binomial_p(wins, losses) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mid_p_counts_what_was_observed_half(wins: int, losses: int) -> None:
    n = wins + losses
    at = [stats.binom.pmf(k, n, 0.5) for k in range(n + 1)]
    as_far = sum(p for k, p in enumerate(at) if abs(2 * k - n) == abs(wins - losses))
    further = sum(p for k, p in enumerate(at) if abs(2 * k - n) > abs(wins - losses))
    assert mid_p(wins, losses) == pytest.approx(further + as_far / 2, abs=1e-9)
    assert mid_p(wins, losses) == mid_p(losses, wins) <= binomial_p(wins, losses)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_a_paired_interval_holds_the_difference_and_turns_with_the_sides(a: int, b: int, c: int, d: int) -> None:
    if a + b + c + d == 0:
        return
    found, turned = paired_difference(a, b, c, d), paired_difference(a, c, b, d)
    assert -1 - 1e-9 <= found.low <= found.middle <= found.high <= 1 + 1e-9
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low), abs=1e-12)


def test_a_paired_interval_is_the_published_example() -> None:
    """Newcombe (1998), table III: 36 right in both, 12 and 2 in one alone, 0 in neither; method 10."""
    found = paired_difference(36, 12, 2, 0)
    assert found.middle == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_paired_intervals_hold_the_truth_as_often_as_they_say() -> None:
    drawn, held, n_rounds = random.Random(1), 0, 1500
    cells = (0.35, 0.2, 0.1, 0.35)
    for _ in range(n_rounds):
        kinds = drawn.choices(range(4), cells, k=80)
        found = paired_difference(*(kinds.count(kind) for kind in range(4)))
        held += found.low <= cells[1] - cells[2] <= found.high
    assert 0.93 < held / n_rounds < 0.98


def test_the_named_number_of_tasks_has_the_named_power() -> None:
    """The observed table is taken as the truth, and trials of the named size are drawn from it."""
    n = tasks_for_mcnemar(14, 6, 100)
    assert n is not None
    drawn, found, n_rounds = random.Random(2), 0, 600
    for _ in range(n_rounds):
        kinds = drawn.choices("wlx", (0.14, 0.06, 0.8), k=n)
        found += mid_p(kinds.count("w"), kinds.count("l")) < 0.05
    assert 0.75 < found / n_rounds < 0.86


@given(st.integers(0, 50), st.integers(0, 50))
def test_no_number_of_tasks_shows_a_difference_that_was_not_observed(one: int, other: int) -> None:
    found = tasks_for_mcnemar(one, other, 100)
    assert (found is None) == (one == other)
    assert found is None or found >= 1


def test_a_larger_difference_takes_fewer_tasks() -> None:
    needed = [tasks_for_mcnemar(wins, 5, 200) for wins in (8, 12, 20, 40)]
    assert needed == sorted(needed, key=lambda n: -(n or 0))
    assert tasks_for_mean([0.1, 0.3, 0.2, 0.0]) is not None
    assert tasks_for_mean([0.0, 0.0]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 80))
@settings(max_examples=20)
def test_a_bootstrap_interval_is_seeded_and_within_the_values(values: list[float], block: int) -> None:
    found = bootstrap_mean(values, block=block)
    assert found == bootstrap_mean(values, block=block)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_a_bootstrap_interval_is_as_wide_as_the_standard_error_says() -> None:
    drawn = random.Random(3)
    values = [drawn.gauss(0, 1) for _ in range(400)]
    found = bootstrap_mean(values)
    expected = 2 * 1.96 * stats.sem(values)
    assert found.high - found.low == pytest.approx(expected, rel=0.1)


def test_blocks_widen_the_interval_of_values_that_hang_together() -> None:
    drawn = random.Random(4)
    values = [level for _ in range(40) for level in [drawn.gauss(0, 1)] * 10]
    single, blocks = bootstrap_mean(values), bootstrap_mean(values, block=20)
    assert blocks.high - blocks.low > 2 * (single.high - single.low)


def test_a_ratio_of_sums_is_no_mean_of_ratios() -> None:
    found = bootstrap_ratio([10, 1], [1, 1])
    assert found.middle == 5.5
    assert found.low == 1.0
    assert found.high == 10.0


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_are_numpys(values: list[float], share: float) -> None:
    import numpy

    assert quantile(sorted(values), share) == pytest.approx(float(numpy.quantile(values, share)), abs=1e-9)


def test_a_permutation_test_agrees_with_the_exact_one_where_there_is_one() -> None:
    gaps = [1.0] * 12 + [-1.0] * 3
    assert sign_flip_p(gaps) == pytest.approx(binomial_p(12, 3), abs=0.015)
    assert sign_flip_p([0.0, 0.0]) == 1.0
    assert math.isclose(sign_flip_p([0.5]), 1.0)
