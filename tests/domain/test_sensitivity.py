"""How firm a first place is, held against trying weights out, one by one and through the whole pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from advisor.domain.choice import with_choice
from advisor.domain.constraints import Constraints, Weights
from advisor.domain.recommend import Recommendation, recommend
from advisor.domain.reweighting import N_DRAWS, Option, factors, leader, reweightings
from advisor.domain.scoring import CRITERIA
from advisor.domain.sensitivity import MOST_WEIGHT, ROBUST, Sensitivity, WeightChange, sensitivity
from advisor.domain.sensitivity_words import firmness_lines, share_text, weight_text
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import RTX_4090, constraints, figures, gpu, machine, questionnaire

ADVISOR = Advisor()
MACHINES = {
    "processor": machine(24 * GIB),
    "one GPU": machine(64 * GIB, gpu(24 * GIB)),
    "two GPUs": machine(256 * GIB, gpu(80 * GIB), gpu(80 * GIB, index=1)),
}

VALUES = st.integers(0, 20).map(lambda n: n / 20)
OPTIONS = st.lists(
    st.builds(Option, st.sampled_from("abcdef"), st.sampled_from(("Q4", "Q8")), st.tuples(*[VALUES] * len(CRITERIA))),
    min_size=1, max_size=12, unique_by=lambda option: option.id,
)  # fmt: skip
NUMBERS = st.one_of(st.integers(0, 10).map(float), st.floats(0.01, 100))
WEIGHTS = st.tuples(*[NUMBERS] * len(CRITERIA)).filter(any)


@cache
def advised(name: str, given_weights: tuple[float, ...] = (5.0, 2.0, 1.0, 1.0, 1.0)) -> Recommendation:
    here, asked = MACHINES[name], weighed(given_weights)
    return recommend(here, asked, ADVISOR.catalogue, figures(here, RTX_4090))


def weighed(weights: Sequence[float]) -> Constraints:
    base = constraints()
    return replace(base, preferences=replace(base.preferences, weights=Weights(*weights)))


def firm(found: Recommendation) -> Sensitivity:
    assert found.sensitivity is not None
    return found.sensitivity


def with_weight(weights: Sequence[float], criterion: str, weight: float) -> tuple[float, ...]:
    return tuple(weight if name == criterion else w for name, w in zip(CRITERIA, weights, strict=True))


def behind(options: Sequence[Option], weights: Sequence[float], model: str) -> float:
    """How much the best option of a model lacks to the first place."""
    best = max(option.total(weights) for option in options)
    return best - max(option.total(weights) for option in options if option.model == model)


def changes(found: Sensitivity) -> list[WeightChange]:
    return [c for r in found.weights for c in (r.lower, r.upper) if c is not None]


# ---------------------------------------------------------------- one weight


@given(options=OPTIONS, weights=WEIGHTS)
def test_with_the_changed_weight_the_rival_leads(options: list[Option], weights: tuple[float, ...]) -> None:
    found = sensitivity(options, Weights(*weights))
    for change in changes(found):
        then = leader(options, with_weight(weights, change.criterion, change.changed))
        assert then == change.rival
        assert then.model != found.model
        assert 0 <= change.changed <= MOST_WEIGHT


@given(options=OPTIONS, weights=WEIGHTS, share=st.floats(0, 1))
def test_between_the_crossings_the_model_stays_first(
    options: list[Option], weights: tuple[float, ...], share: float
) -> None:
    found = sensitivity(options, Weights(*weights))
    for r in found.weights:
        low = r.lower.crossing if r.lower else 0.0
        high = r.upper.crossing if r.upper else MOST_WEIGHT
        tried = with_weight(weights, r.criterion, low + share * (high - low))
        assume(any(tried))
        assert behind(options, tried, found.model) < 2e-9


@given(options=OPTIONS, weights=WEIGHTS)
def test_at_a_crossing_both_are_level(options: list[Option], weights: tuple[float, ...]) -> None:
    found = sensitivity(options, Weights(*weights))
    for change in changes(found):
        tried = with_weight(weights, change.criterion, change.crossing)
        if any(tried):
            assert behind(options, tried, found.model) < 2e-9


@pytest.mark.parametrize("name", MACHINES)
def test_the_pipeline_confirms_every_changed_weight(name: str) -> None:
    weights = (5.0, 2.0, 1.0, 1.0, 1.0)
    found = firm(advised(name))
    assert changes(found)
    for change in changes(found):
        pick = advised(name, with_weight(weights, change.criterion, change.changed)).pick
        assert pick is not None
        assert (pick.model.id, pick.quantization.name) == (change.rival.model, change.rival.quantization)


@settings(max_examples=8, deadline=None)
@given(weights=st.tuples(*[st.integers(0, 9).map(float)] * len(CRITERIA)).filter(any))
def test_the_pipeline_confirms_the_nearest_change_whatever_the_weights(weights: tuple[float, ...]) -> None:
    change = firm(advised("processor", weights)).nearest
    if change is not None:
        pick = advised("processor", with_weight(weights, change.criterion, change.changed)).pick
        assert pick is not None
        assert pick.model.id == change.rival.model


def test_the_only_model_has_no_rival() -> None:
    alone = [Option("a", quantization, (0.5,) * 5) for quantization in ("Q4", "Q8")]
    found = sensitivity(alone, Weights(5, 2, 1, 1, 1))
    assert (found.stability, found.rivals, changes(found)) == (1.0, (), [])
    assert firmness_lines(found) == ("no other model passes, so no weight changes the pick",)


def test_a_criterion_without_weight_can_only_gain() -> None:
    options = [Option("a", "Q4", (0.9, 0.1, 0, 0, 0)), Option("b", "Q4", (0.5, 0.9, 0, 0, 0))]
    quality, speed, *_ = sensitivity(options, Weights(1, 0, 0, 0, 0)).weights
    assert quality.nearest is None
    assert speed.lower is None
    assert speed.upper is not None
    assert speed.upper.crossing == pytest.approx(0.5)
    assert (speed.upper.changed, speed.upper.factor) == (0.51, None)


def test_limits_are_those_of_the_questionnaire() -> None:
    assert {questionnaire()[f"preferences.weights.{name}"].maximum for name in CRITERIA} == {MOST_WEIGHT}


# ---------------------------------------------------------------- all weights


@settings(max_examples=15, deadline=None)
@given(options=OPTIONS, weights=WEIGHTS)
def test_shares_are_those_of_ranking_anew_in_each_draw(options: list[Option], weights: tuple[float, ...]) -> None:
    found = sensitivity(options, Weights(*weights))
    won = [leader(options, draw) for draw in reweightings(weights)]
    wins = Counter(option.model for option in won)
    assert {found.model: found.n_stays, **{r.model: r.n_wins for r in found.rivals}} == {found.model: 0, **wins}
    assert found.n_same_quantization == won.count(leader(options, weights))
    assert found.is_robust == (wins[found.model] >= ROBUST * N_DRAWS)


@settings(max_examples=8, deadline=None)
@given(place=st.integers(0, N_DRAWS - 1))
def test_in_each_draw_the_pipeline_picks_one_that_wins(place: int) -> None:
    found = firm(advised("one GPU"))
    pick = advised("one GPU", reweightings((5.0, 2.0, 1.0, 1.0, 1.0))[place]).pick
    assert pick is not None
    assert pick.model.id in {found.model, *(rival.model for rival in found.rivals)}


@settings(max_examples=8, deadline=None)
@given(place=st.integers(0, N_DRAWS - 1))
def test_a_pick_that_always_wins_stays_the_pick_of_the_pipeline_in_each_draw(place: int) -> None:
    weights = (0.0, 0.0, 0.0, 1.0, 0.0)
    found = firm(advised("processor", weights))
    assert found.is_robust
    assert found.n_stays == N_DRAWS
    pick = advised("processor", reweightings(weights)[place]).pick
    assert pick is not None
    assert pick.model.id == found.model


def test_factors_are_spread_as_they_are_said_to_be() -> None:
    flat = sorted(factor for row in factors() for factor in row)
    middle = flat[len(flat) // 2]
    within = sum(1 / 1.5 <= factor <= 1.5 for factor in flat) / len(flat)
    assert middle == pytest.approx(1, abs=0.03)
    assert within == pytest.approx(0.683, abs=0.02)
    assert len(set(factors())) == N_DRAWS


def test_a_criterion_without_weight_stays_without() -> None:
    assert {draw[1] for draw in reweightings((5, 0, 1, 1, 1))} == {0}


# ---------------------------------------------------------------- words


def test_a_robust_pick_is_called_so_with_its_share() -> None:
    found = firm(advised("processor", (0.0, 0.0, 0.0, 1.0, 0.0)))
    verdict, *_, nearest = firmness_lines(found)
    assert verdict.startswith("robust: stays first in all of 1,000 reweightings")
    assert nearest.startswith("no weight from 0 to 100") or " leads if " in nearest


def test_a_close_call_names_rivals_and_the_smallest_change() -> None:
    options = [Option("a", "Q4", (0.6, 0.5, 0, 0, 0)), Option("b", "Q8", (0.5, 0.65, 0, 0, 0))]
    found = sensitivity(options, Weights(2, 1, 0, 0, 0))
    verdict, rivals, nearest = firmness_lines(found)
    assert verdict.startswith(f"a close call: stays first in {share_text(found.n_stays)} of 1,000")
    assert rivals == f"otherwise first: b in {share_text(N_DRAWS - found.n_stays)}"
    assert nearest == "b leads if speed weighs 1.4 times as much (1.4 instead of 1)"
    speed = found.weights[1]
    assert weight_text(speed) == "speed 1 (33% of all weights): at 1.4 b:Q8 leads"


def test_a_share_is_all_or_none_only_where_it_is() -> None:
    assert [share_text(n) for n in (0, 1, 999, 1000)] == ["none", "0.1 %", "99.9 %", "all"]


def test_a_pick_that_the_user_chose_claims_no_firmness() -> None:
    found = advised("processor")
    assert with_choice(found, found.ranked[1]).sensitivity is None
