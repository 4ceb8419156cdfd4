"""A trial as a criterion: what it moves, and what it cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.close_calls import chance_better
from advisor.domain.quality import Rating
from advisor.domain.trial.evidence import TASK_DEVIATION, Evidence, Tried, from_sibling, untried, with_trial


def published(ability: float, deviation: float = 0.4) -> Rating:
    return Rating(0.5, 0.4, 0.6, 3, 1, ability=ability, model_deviation=deviation)


def evidence(*tried: Tried) -> Evidence:
    return Evidence("tasks.jsonl", "a" * 64, "b" * 64, tried)


def test_one_tried_candidate_stays_where_it_was() -> None:
    before = published(1.0)
    after = with_trial({"m:Q4_0": before}, evidence(Tried("m", "Q4_0", 200, 20)), 0.0)["m:Q4_0"]
    assert after.ability == pytest.approx(1.0)
    assert after.deviation == pytest.approx(math.hypot(0.4, TASK_DEVIATION))
    assert after.basis_text.startswith("your trial (n=200); 10% right")


@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(0, 200), st.integers(0, 200))
def test_differences_come_from_the_trial_and_the_middle_from_what_was_published(
    one: float, other: float, right: int, other_right: int
) -> None:
    tried = Tried("a", "Q4_0", 200, right), Tried("b", "Q4_0", 200, other_right)
    before = {"a:Q4_0": published(one), "b:Q4_0": published(other)}
    after = with_trial(before, evidence(*tried), 0.0)
    gap = after["a:Q4_0"].ability - after["b:Q4_0"].ability
    assert gap == pytest.approx(tried[0].logits - tried[1].logits, abs=1e-9)
    if tried[0].deviation == pytest.approx(tried[1].deviation):
        middle = (after["a:Q4_0"].ability + after["b:Q4_0"].ability) / 2
        assert middle == pytest.approx((one + other) / 2, abs=1e-9)


def test_more_tasks_tell_more() -> None:
    before = {"a:Q4_0": published(0.0), "b:Q4_0": published(0.0)}
    spreads = []
    for n in (10, 100, 1000):
        tried = Tried("a", "Q4_0", n, 0.6 * n), Tried("b", "Q4_0", n, 0.5 * n)
        after = with_trial(before, evidence(*tried), 0.0)
        spreads.append(after["a:Q4_0"].deviation)
        chance = chance_better(after["a:Q4_0"], after["b:Q4_0"])
        assert chance > 0.5
    assert spreads == sorted(spreads, reverse=True)
    assert chance > 0.99


def test_two_quantizations_of_one_model_do_not_make_its_place_surer() -> None:
    alone = {"a:Q4_0": published(0.0)}
    twice = {**alone, "a:Q8_0": published(0.0)}
    other = {**alone, "b:Q8_0": published(0.0)}
    n = 10**9
    spread = {
        name: with_trial(known, evidence(*(Tried(*_parts(key), n, n / 2) for key in known)), 0.0)["a:Q4_0"].deviation
        for name, known in (("alone", alone), ("twice", twice), ("other", other))
    }
    assert spread["twice"] == pytest.approx(spread["alone"])
    assert spread["other"] == pytest.approx(spread["alone"] / math.sqrt(2))


def _parts(key: str) -> tuple[str, str]:
    model, _, quantization = key.partition(":")
    return model, quantization


def test_the_untried_keep_their_middle_in_a_wider_interval() -> None:
    before = published(0.5)
    after = untried(before, 0.0)
    assert (after.ability, after.score) == (before.ability, before.score)
    assert after.deviation > before.deviation
    assert "not in your trial" in after.basis_text


def test_another_quantization_follows_the_one_that_was_tried() -> None:
    tried = Rating(0.5, 0.4, 0.6, 3, 1, ability=0.2, model_deviation=0.3, loss=0.1, n_tried=50, trial_deviation=0.28)
    other = Rating(0.7, 0.6, 0.8, 3, 1, ability=1.0, model_deviation=0.4, loss=0.03, loss_deviation=0.02)
    after = from_sibling(other, tried, "Q4_0", 0.0)
    assert after.ability == pytest.approx(0.27)
    assert after.deviation == pytest.approx(math.hypot(0.3, 0.02))
    assert after.basis_text.startswith("your trial (n=50) of its Q4_0")


@given(st.integers(1, 1000), st.data())
def test_log_odds_are_finite_whatever_was_right(n: int, data: st.DataObject) -> None:
    tried = Tried("a", "Q4_0", n, data.draw(st.floats(0, n)))
    assert math.isfinite(tried.logits)
    assert 0 < tried.deviation < 2
