"""Changes of a requirement, each tried by setting it as a user would and running the pipeline."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from advisor.domain.constraint_changes import (
    CONTEXT_STEP,
    MEMORY_STEP_BYTES,
    MOST_CONTEXT_TOKENS,
    USER_STEPS,
    multiple_between,
    user_changes,
)
from advisor.domain.constraints import Constraints
from advisor.domain.presentation import sensitivity_paragraphs
from advisor.domain.recommend import Recommendation
from advisor.domain.sensitivity import ConstraintChange, Value
from advisor.domain.sensitivity_words import constraint_text, value_text
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import gpu, machine, questionnaire

ADVISOR = Advisor()
MACHINES = {"processor": machine(24 * GIB), "GPU": machine(64 * GIB, gpu(24 * GIB, name="NVIDIA GeForce RTX 4090"))}
CASES = [
    ("processor", ()),
    ("processor", ("latency.tokens_per_s=20",)),
    ("processor", ("scale.users=40", "latency.ttft_ms=2000")),
    ("GPU", ()),
]


def advised(name: str, settings: tuple[str, ...]) -> Recommendation:
    return ADVISOR.recommend(MACHINES[name], ADVISOR.constraints(ADVISOR.answers(settings=settings)))


@cache
def examined(name: str, settings: tuple[str, ...]) -> Recommendation:
    return ADVISOR.with_constraint_changes(advised(name, settings))


def changes_of(name: str, settings: tuple[str, ...]) -> dict[str, ConstraintChange]:
    found = examined(name, settings).sensitivity
    assert found is not None
    assert found.constraints
    return {f"{c.key} {'up' if _is_up(c) else 'down'}": c for c in found.constraints}


def _is_up(change: ConstraintChange) -> bool:
    return change.changed is not None and (change.current is None or change.changed > change.current)


def with_setting(name: str, settings: tuple[str, ...], key: str, value: Value) -> Recommendation:
    return advised(name, (*settings, f"{key}={'none' if value is None else value}"))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_setting_the_changed_value_changes_the_pick_and_setting_the_last_one_that_holds_does_not(
    name: str, settings: tuple[str, ...]
) -> None:
    first = examined(name, settings).pick
    assert first is not None
    for change in changes_of(name, settings).values():
        then = with_setting(name, settings, change.key, change.changed).pick
        assert (then and then.id) == change.rival
        assert then is None or then.model.id != first.model.id
        still = with_setting(name, settings, change.key, change.holds).pick
        assert still is not None
        assert (still.model.id, still.quantization.name) == (first.model.id, change.holds_quantization)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_two_values_lie_as_near_as_they_can_be_set(name: str, settings: tuple[str, ...]) -> None:
    steps = {
        "task.context_tokens": CONTEXT_STEP,
        "machine.reserve_ram": MEMORY_STEP_BYTES,
        "machine.reserve_vram": MEMORY_STEP_BYTES,
        "latency.ttft_ms": 1,
        "latency.tokens_per_s": 0.011,
        "scale.users": 40 // USER_STEPS,
    }
    for side, change in changes_of(name, settings).items():
        if side in ("latency.tokens_per_s down", "latency.ttft_ms up"):
            continue  # what is asked now holds; a looser limit has no step
        assert change.changed is not None
        assert change.holds is not None
        assert abs(change.changed - change.holds) <= steps[change.key]


def test_a_faster_target_a_shorter_wait_a_longer_context_and_less_memory_all_change_a_pick() -> None:
    found = changes_of("processor", ())
    assert {"latency.tokens_per_s up", "task.context_tokens up", "machine.reserve_ram up"} <= set(found)
    assert any(key.startswith("latency.ttft_ms") for key in found)


@pytest.mark.parametrize(
    ("settings", "side"),
    [
        (("latency.tokens_per_s=20",), "latency.tokens_per_s down"),
        (("latency.ttft_ms=2000",), "latency.ttft_ms up"),
    ],
)
def test_a_looser_target_lets_a_slower_and_better_model_lead(settings: tuple[str, ...], side: str) -> None:
    assert "still passes" in changes_of("processor", settings)[side].why


def test_more_users_and_fewer_change_a_pick_that_just_carries_them() -> None:
    found = advised("GPU", ("scale.users=100",))
    assert found.pick is not None
    asked: dict[int, str] = {}

    def again(constraints: Constraints) -> Recommendation:
        then = ADVISOR.recommend(found.machine, constraints)
        asked[constraints.scale.users] = then.pick.id if then.pick else ""
        return then

    changes = [c for c in user_changes(found, found.pick, again) if c is not None]
    assert [_is_up(c) for c in changes] == [True, False]
    for change in changes:
        assert isinstance(change.changed, int)
        assert asked[change.changed] == change.rival
        assert not str(change.rival).startswith(f"{found.pick.model.id}:")
        assert constraint_text(change).startswith(
            f"scale.users 100 users: at {change.changed} users {change.rival} leads"
        )


def test_one_request_at_a_time_has_no_users_to_change() -> None:
    assert not any(key.startswith("scale.users") for key in changes_of("processor", ()))


def test_a_requirement_of_which_a_pick_has_plenty_is_left_out() -> None:
    assert not any(key.startswith("machine.reserve_ram") for key in changes_of("GPU", ()))


def test_nothing_is_examined_where_nothing_passes() -> None:
    found = ADVISOR.with_constraint_changes(advised("processor", ("latency.tokens_per_s=100000",)))
    assert found.pick is None
    assert found.sensitivity is None
    assert sensitivity_paragraphs(found) == ()


def test_a_change_is_told_with_its_value_the_rival_and_the_fate_of_the_pick() -> None:
    found = changes_of("processor", ())
    memory = found["machine.reserve_ram up"]
    text = constraint_text(memory)
    assert isinstance(memory.changed, int)
    assert f"at {value_text(memory.key, memory.changed)}" in text
    assert f"{value_text(memory.key, memory.changed - 2 * GIB)} less for models" in text
    assert f"{memory.rival} leads and this pick " in text
    shown = [line for p in sensitivity_paragraphs(examined("processor", ())) for line in p.lines]
    assert {constraint_text(change) for change in found.values()} <= set(shown)


def test_the_longest_context_looked_at_is_the_longest_that_can_be_asked_for() -> None:
    assert questionnaire()["task.context_tokens"].maximum == MOST_CONTEXT_TOKENS


@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 10_000))
@example(100, 256, 44)
def test_numbers_further_apart_than_a_step_have_a_multiple_of_it_between_them(low: int, step: int, more: int) -> None:
    high = low + step + more
    for pair in ((low, high), (high, low)):
        middle = multiple_between(*pair, step)
        assert low < middle < high
        assert middle % step == 0
