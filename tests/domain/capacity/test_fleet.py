"""Replicas on machines that differ from each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.capacity.fleet import FleetPlans, Site, place_on_fleet
from advisor.domain.capacity.fleet_report import enough_text, fleet_rows
from advisor.domain.placement import Pool
from advisor.units import GIB
from tests.domain.capacity.making import gpu, node, subject

MODEST: dict[str, Any] = {"scale.users": 200, "latency.ttft_ms": 3000, "latency.tokens_per_s": 5.0}


def ram(gib: int, bandwidth: float | None = 80e9, cores: int = 16) -> Pool:
    return Pool("RAM", "ram", gib * GIB, None, bandwidth, None, "cpu", cores=cores, family="x86")


def vram(index: int, name: str = "L40S", gib: int | None = None) -> Pool:
    found = gpu(name)
    return Pool(
        name=f"GPU{index}",
        kind="gpu",
        budget_bytes=gib * GIB if gib is not None else found.memory_bytes,
        free_bytes=None,
        bandwidth_bytes_per_s=found.bandwidth_bytes_per_s,
        flops=found.fp16_flops,
        backend=found.backend,
    )


def site(name: str, *gpus: Pool, gib: int = 64, no_memory: str | None = None) -> Site:
    return Site(name, (ram(0 if no_memory else gib), *gpus), 16, None, no_memory)


def placed(found: FleetPlans) -> dict[str, tuple[int, int]]:
    """Replicas placed and fitting, by machine."""
    (plan,) = found.plans
    return {share.site: (share.placed, share.fits) for share in plan.shares}


def test_a_machine_with_several_gpus_of_one_kind_holds_several_replicas() -> None:
    found = place_on_fleet(subject(**MODEST), [site("box", *(vram(i) for i in range(4)))], ["llama.cpp"])
    assert placed(found)["box"] == (2, 4)
    assert found.is_enough


def test_gpus_of_two_kinds_serve_one_replica_together() -> None:
    found = place_on_fleet(subject(**MODEST), [site("box", vram(0), vram(1, "RTX 4090"))], ["llama.cpp"])
    assert placed(found)["box"][1] == 1


def test_the_fastest_machines_are_used_first_and_the_slow_ones_only_where_they_are_needed() -> None:
    sites = [site("slow", vram(0, "L4")), site("fast", vram(0)), site("other", vram(0))]
    found = place_on_fleet(subject(**MODEST), sites, ["llama.cpp"])
    assert placed(found) == {"fast": (1, 1), "other": (1, 1), "slow": (0, 1)}
    (plan,) = found.plans
    assert [row[6] for row in fleet_rows(plan)][-1] == "not used"


def test_one_replica_is_no_plan_because_it_may_be_lost() -> None:
    found = place_on_fleet(subject(**MODEST), [site("box", vram(0))], ["llama.cpp"])
    (plan,) = found.plans
    assert (plan.replicas, plan.is_enough, plan.carried_requests_per_s) == (1, False, 0.0)
    text = enough_text(plan, found)
    assert "carries the peak of 0.833 requests/s by itself, but nothing is left when it is lost" in text


def test_two_replicas_are_enough_for_the_only_user() -> None:
    lonely: dict[str, Any] = {"scale.users": 1, "latency.ttft_ms": 5000}
    alone = subject(**lonely)
    found = place_on_fleet(alone, [site("a", vram(0)), site("b", vram(0)), site("c", vram(0))], ["llama.cpp"])
    (plan,) = found.plans
    assert (plan.replicas, plan.is_enough) == (2, True)


def test_a_machine_without_memory_figures_is_refused_with_the_reason() -> None:
    sites = [site("a", vram(0)), site("mute", no_memory="its memory is unknown: nobody says")]
    found = place_on_fleet(subject(**MODEST), sites, ["llama.cpp"])
    (refusal,) = found.refusals
    assert (refusal.place, refusal.text) == ("mute", "its memory is unknown: nobody says")


def test_a_machine_that_misses_the_targets_alone_takes_no_replica() -> None:
    strict = subject(**{**MODEST, "latency.tokens_per_s": 40.0})
    found = place_on_fleet(strict, [site("fast", vram(0)), site("processor")], ["llama.cpp"])
    assert [refusal.code for refusal in found.refusals] == ["no_load"]
    assert set(placed(found)) == {"fast"}


def test_vllm_places_whole_groups_of_gpus() -> None:
    box = replace(site("box"), node=replace(node("g6e.12xlarge"), name="box"))
    found = place_on_fleet(subject(**MODEST), [box, site("processor")], ["vllm"])
    (plan,) = found.plans
    (share,) = plan.shares
    assert share.fits == 4 // share.replica.gpus
    assert [refusal.place for refusal in found.refusals] == ["processor"]


@settings(max_examples=15, deadline=None)
@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    users=st.sampled_from([1, 50, 500, 5000]),
)
def test_no_machine_takes_more_than_it_holds_and_enough_means_enough(counts: list[int], users: int) -> None:
    sites = [site(f"n{i}", *(vram(j) for j in range(count))) for i, count in enumerate(counts)]
    wanted = subject(**{**MODEST, "scale.users": users})
    found = place_on_fleet(wanted, sites, ["llama.cpp"])
    assert {share.site for plan in found.plans for share in plan.shares} | {r.place for r in found.refusals} == {
        f"n{i}" for i in range(len(counts))
    }
    for plan in found.plans:
        assert all(0 <= share.placed <= share.fits for share in plan.shares)
        rates = sorted(
            (share.capacity.requests_per_s for share in plan.shares for _ in range(share.placed)), reverse=True
        )
        assert plan.carried_requests_per_s == pytest.approx(sum(rates[1:]))
        if plan.is_enough and users > 1:
            assert sum(rates[1:]) >= wanted.traffic.requests_per_s * (1 - 1e-6) or len(rates) > users
        if not plan.is_enough:
            assert all(share.placed == share.fits for share in plan.shares)
