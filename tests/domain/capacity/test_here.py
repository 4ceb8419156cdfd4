"""What a machine carries of the users' load, by bound and by simulation, and what that does to the ranking."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.catalog.presets import load_presets
from advisor.catalog.serving import load_serving
from advisor.domain.answers import constraints_from
from advisor.domain.capacity.here import LoadHere, load_here
from advisor.domain.capacity.replica import Replica
from advisor.domain.carried_load import CarriedLoad
from advisor.domain.carried_load_words import (
    better_but_short,
    carried_cell,
    carried_lines,
    carried_text,
    one_machine_ends,
)
from advisor.domain.constraints import Constraints
from advisor.domain.fit import ways_to_run
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.recommend import Recommendation
from advisor.domain.scoring import CLOSE_CALL
from advisor.domain.slots import MAX_SLOTS, parts_for_copies, threads_of_copy, ways_with_slots
from advisor.domain.summary import summary_lines
from advisor.domain.weights import weights
from advisor.paths import knowledge_dir
from advisor.service import Advisor, MachineChoice
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, constraints
from tests.domain.capacity.making import speed_constants

ADVISOR = Advisor()
L40S = ADVISOR.machine(MachineChoice(gpu="L40S", ram_bytes=64 * GIB))
RAM = Pool("RAM", "ram", 64 * GIB, None, 80e9, None, "cpu", cores=8)
GPU = Pool("GPU0", "gpu", 44 * GIB, None, 864e9, 362e12, "cuda", int8_ops=733e12)


def advise(machine: object = L40S, **answers: object) -> Recommendation:
    return ADVISOR.recommend(machine, constraints(**answers))  # type: ignore[arg-type]


def on(pools: tuple[Pool, ...], **answers: object) -> tuple[LoadHere, Replica]:
    """An 8B model in Q4_K_M on some memories, under a load."""
    needs = constraints(**answers)
    load, held = load_here(needs, speed_constants()), weights(LLAMA_3_8B, "Q4_K_M")
    base = cpu_placement(needs.task.context_tokens, threads=8, n_gpus=len(pools) - 1)
    replica = load.replica(
        LLAMA_3_8B, "Q4_K_M", held, ways_with_slots(LLAMA_3_8B, held, base, MAX_SLOTS, pools, allow_cpu=True)[0]
    )
    assert replica is not None
    return load, replica


def test_plans_and_recommendations_stop_at_the_same_slots() -> None:
    assert load_serving(knowledge_dir()).llama_max_slots == MAX_SLOTS


@settings(max_examples=25, deadline=None)
@given(
    users=st.integers(2, 3000),
    ttft=st.sampled_from([None, 500, 2000, 20_000]),
    rate=st.sampled_from([None, 5.0, 20.0]),
    on_gpu=st.booleans(),
)
def test_a_simulation_never_carries_more_than_the_bound(
    users: int, ttft: int | None, rate: float | None, on_gpu: bool
) -> None:
    pools = (RAM, GPU) if on_gpu else (RAM,)
    load, replica = on(pools, scale__users=users, latency__ttft_ms=ttft, latency__tokens_per_s=rate)
    bounded = load.bounded(replica, 1)
    searched = load.searched(replica, bounded)
    assert searched.requests_per_s <= bounded.requests_per_s * (1 + 1e-9)
    assert bounded.requests_per_s <= bounded.asked_per_s * (1 + 1e-9)
    if bounded.is_enough and not bounded.is_simulated and not load.holds(replica, 1):
        assert not bounded.refuted.is_enough


def test_what_is_refuted_is_no_longer_enough_and_stays_countable() -> None:
    load, replica = on((RAM, GPU), scale__users=100)
    found = load.bounded(replica, 1)
    assert found.is_enough
    assert not found.refuted.is_enough
    assert found.refuted.machines == 2


def test_more_copies_carry_more() -> None:
    load, replica = on((RAM, GPU), scale__users=5000)
    one, eight = load.bounded(replica, 1), load.bounded(replica, 8)
    assert eight.most_per_s == pytest.approx(8 * one.most_per_s)
    assert eight.share > one.share
    assert (eight.machines or 0) < (one.machines or 0)


def test_users_who_are_fewer_than_the_slots_never_wait_for_one() -> None:
    asked = {"scale__users": 2, "scale__requests_per_user_hour": 1.0, "latency__tokens_per_s": 1.0}
    load, replica = on((RAM,), **asked)
    assert load.bounded(replica, 1).is_enough
    assert load.bounded(replica, 1).is_simulated
    hasty, same = on((RAM,), **asked, latency__ttft_ms=1)
    assert not hasty.bounded(same, 1).is_enough


def test_a_target_below_the_bound_carries_nobody() -> None:
    load, replica = on((RAM, GPU), scale__users=5000, latency__ttft_ms=1)
    found = load.bounded(replica, 1)
    assert found.share == 0.0
    assert found.machines is None


def test_like_gpus_hold_a_copy_each_and_others_share_one() -> None:
    gpus = tuple(replace(GPU, name=f"GPU{i}") for i in range(8))
    parts = list(parts_for_copies((RAM, *gpus)))
    assert [(len(pools) - 1, copies) for pools, copies in parts] == [(1, 8), (2, 4), (4, 2), (8, 1)]
    assert parts[0][0][0].budget_bytes == RAM.budget_bytes // 8
    three = (RAM, *gpus[:3])
    assert [(len(pools) - 1, copies) for pools, copies in parts_for_copies(three)] == [(1, 3), (3, 1)]
    unlike = (RAM, GPU, replace(GPU, name="GPU1", budget_bytes=8 * GIB))
    assert list(parts_for_copies(unlike)) == [(unlike, 1)]
    assert list(parts_for_copies((RAM,))) == [((RAM,), 1)]


def test_copies_share_the_cores_and_each_has_one_at_least() -> None:
    assert [threads_of_copy(16, copies) for copies in (1, 2, 3, 16, 32)] == [16, 8, 5, 1, 1]


@settings(max_examples=20, deadline=None)
@given(slots=st.integers(1, MAX_SLOTS), ram=st.integers(6, 200), context=st.sampled_from([512, 4096, 32768]))
def test_slots_never_cost_layers_or_the_precision_of_the_cache(slots: int, ram: int, context: int) -> None:
    held, pools = (
        weights(LLAMA_3_8B, "Q4_K_M"),
        (replace(RAM, budget_bytes=ram * GIB), replace(GPU, budget_bytes=8 * GIB)),
    )
    base = cpu_placement(context, n_gpus=1)
    single = ways_to_run(LLAMA_3_8B, held, base, pools, allow_cpu=True)
    found = ways_with_slots(LLAMA_3_8B, held, base, slots, pools, allow_cpu=True)
    assert bool(found) == bool(single)
    if found:
        assert found[0].fits
        assert 1 <= found[0].placement.parallel <= slots
        assert found[0].placement.slot_tokens >= context
        assert found[0].placement.kv_type == single[0].placement.kv_type
        assert sum(found[0].placement.gpu_layers) >= sum(single[0].placement.gpu_layers)


def test_who_carries_the_load_ranks_before_who_does_not() -> None:
    found = advise(scale__users=300)
    short = [c.falls_short for c in found.ranked]
    assert not short[0]
    assert short == sorted(short)
    assert any(short)
    assert found.pick is not None
    assert found.pick.carried is not None
    assert found.pick.carried.is_simulated
    best = max(found.ranked, key=lambda c: c.score.total)
    assert (better_but_short(found.pick, found) is not None) == best.falls_short


def test_more_users_never_make_a_machine_carry_a_larger_share() -> None:
    shares = []
    for users in (20, 200, 2000, 20_000):
        found = advise(scale__users=users)
        model = next(c for c in found.quantizations if c.id == "ministral-3-8b-instruct:Q8_0")
        assert model.carried is not None
        shares.append(model.carried.share)
    assert shares == sorted(shares, reverse=True)


def test_where_no_model_carries_the_load_the_answer_says_where_one_machine_ends() -> None:
    found = advise(scale__users=1_000_000)
    assert found.pick is not None
    assert all(c.falls_short for c in found.ranked)
    lines = one_machine_ends(found)
    assert lines[0].startswith("no model carries 1,000,000 users on this machine: it ends at ")
    assert "machines like this one" in carried_text(found.pick)
    assert found.plan is not None
    assert found.plan.replicas == (found.pick.carried.machines if found.pick.carried else None)
    assert found.sensitivity is None


def test_of_two_that_fall_short_the_one_behind_with_the_higher_score_takes_more_machines() -> None:
    found = advise(scale__users=1_000_000)
    ranked = [c for c in found.ranked if c.falls_short]
    turned = [(a, b) for a, b in combinations(ranked, 2) if b.score.total - a.score.total > CLOSE_CALL]
    assert turned
    for first, second in turned:
        said = summary_lines(first, replace(found, ranked=(first, second)))[0]
        assert first.carried is not None
        assert second.carried is not None
        assert (first.carried.least_machines or 0) < (second.carried.least_machines or 0)
        assert f"{second.model.name} scores " in said
        assert "times the machines" in said


def test_twice_the_machines_must_be_worth_more_than_a_close_call() -> None:
    found = advise(ADVISOR.machine(MachineChoice(gpu="H100 80GBx8", ram_bytes=512 * GIB)), scale__users=500_000)
    first, others = found.ranked[0], found.ranked[1:]
    assert first.carried is not None
    many = first.carried.least_machines or 0
    half = [c for c in others if c.carried is not None and 2 * (c.carried.least_machines or many) <= many]
    assert half
    assert all(first.score.total - c.score.total > CLOSE_CALL for c in half)


def test_requests_at_once_are_held_against_slots_too() -> None:
    found = advise(scale__concurrent_requests=200, latency__tokens_per_s=1.0)
    big = next(c for c in found.quantizations if c.model.id == "magistral-small-2509")
    assert big.carried is not None
    assert big.carried.users is None
    assert big.carried.n_carried <= big.carried.slots < 200
    assert "of 200 requests at once here" in carried_text(big)


ALONE = {
    preset.id: needs
    for preset in load_presets(knowledge_dir(), ADVISOR.questionnaire)
    if (needs := constraints_from({**ADVISOR.questionnaire.defaults(), **preset.answers})).scale.users == 1
    and (needs.scale.concurrent_requests or 1) == 1
}


@pytest.mark.parametrize("needs", ALONE.values(), ids=ALONE)
def test_a_single_user_is_ranked_by_score_alone(needs: Constraints) -> None:
    for machine in (L40S, ADVISOR.machine(MachineChoice(gpu="none", ram_bytes=24 * GIB))):
        found = ADVISOR.recommend(machine, needs)
        totals = [round(c.score.total, 9) for c in found.quantizations]
        assert totals == sorted(totals, reverse=True)
        assert all(c.carried is None and c.fit.placement.parallel == 1 for c in found.quantizations)


def test_cells_tell_bound_from_simulation() -> None:
    found = advise(scale__users=300)
    assert found.pick is not None
    assert carried_cell(found.pick) == "✓ 300"
    cells = {carried_cell(c) for c in found.ranked[1:]}
    assert all(cell.startswith(("≤ 300", "✗ ≤ ", "✓ 300", "✗ ")) for cell in cells)


def test_shares_and_machines_are_counted_for_users_and_for_requests_at_once() -> None:
    made = CarriedLoad(16, 2, 1, 10.0, 3.0, 2.5, 4.0, 1000, None, True, None, 0.1)
    assert (made.share, made.machines, made.n_carried) == (0.25, 4, 250)
    assert made.least_machines == 4
    at_once = replace(made, users=None, concurrent=64, requests_per_s=10.0)
    assert (at_once.share, at_once.machines, at_once.n_carried) == (0.5, 2, 32)


def test_one_slot_on_each_copy_keeps_the_speed() -> None:
    found = advise(scale__users=300)
    assert found.pick is not None
    assert found.pick.carried is not None
    narrow = replace(found.pick, carried=replace(found.pick.carried, slots=1, copies=2))
    assert any(line.startswith("1 request at once on each copy keeps") for line in carried_lines(narrow, found))
    of_one = replace(narrow, carried=replace(found.pick.carried, users=None, concurrent=1))
    assert "1 request at once" in carried_text(of_one)
