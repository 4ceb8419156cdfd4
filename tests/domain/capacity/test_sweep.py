"""Users against latency: points in order, a break that the simulation bears out, and figures that `plan` gives too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.capacity.options import Subject
from advisor.domain.capacity.plan import make_plans
from advisor.domain.capacity.report import one_machine_users
from advisor.domain.capacity.sweep import Curve, Sweep, curve
from advisor.domain.capacity.sweep_words import COLUMNS, curve_line, curve_paragraph, sweep_document, sweep_rows
from advisor.domain.placement import Pool
from advisor.units import GIB
from tests.domain.capacity.making import subject

RAM = Pool("RAM", "ram", 64 * GIB, None, 80e9, None, "cpu", cores=8)
GPU = Pool("GPU0", "gpu", 44 * GIB, None, 864e9, 362e12, "cuda", int8_ops=733e12)


def drawn(asked: Subject, *pools: Pool) -> Curve:
    return curve(make_plans(asked, (RAM, *pools), 8, None, [], ("llama.cpp",)))


@pytest.fixture(scope="module")
def found() -> Curve:
    return drawn(subject(scale__users=300, latency__ttft_ms=2000), GPU)


def test_the_targets_hold_up_to_the_break_and_not_far_beyond(found: Curve) -> None:
    loads = [p.load for p in found.points]
    assert loads == sorted(set(loads))
    assert found.most in loads
    assert all(p.holds for p in found.points if p.load < found.most)
    assert not found.points[-1].holds
    assert found.points[0].ttft_s < found.points[-1].ttft_s


def test_a_load_that_holds_further_on_is_not_denied_by_the_mark_of_the_most(found: Curve) -> None:
    last = found.points[-1]
    lucky = replace(found, points=(*found.points[:-1], replace(last, holds=True)))
    unmet = replace(found, points=tuple(replace(p, holds=False) for p in found.points))
    ends = []
    for one in (found, lucky, unmet):
        sweep = Sweep(one.plans.subject.traffic, one.plans.subject.targets, (one,))
        ends += [row[-1] for row in sweep_rows(sweep) if "," in row[-1]]
    assert ends == ["✓ met, beyond it they break", "✓ met, the most that the plan counts on"]


def test_the_break_is_that_of_the_plan_behind_it(found: Curve) -> None:
    assert found.plan is not None
    assert found.most == one_machine_users(found.plan, found.plans)


def test_more_gpus_of_one_kind_carry_as_many_times_the_users(found: Curve) -> None:
    asked = subject(scale__users=300, latency__ttft_ms=2000)
    four = drawn(asked, *(replace(GPU, name=f"GPU{i}") for i in range(4)))
    assert four.most == pytest.approx(4 * found.most, rel=0.01)


def test_a_target_below_the_bound_has_no_point_but_a_reason() -> None:
    none = drawn(subject(scale__users=300, latency__ttft_ms=1))
    assert (none.points, none.most) == ((), 0)
    assert "a prompt of 512 tokens alone takes" in (none.refusal or "")
    sweep = Sweep(none.plans.subject.traffic, none.plans.subject.targets, (none,))
    assert sweep_rows(sweep)[0][-1].startswith("✗ no first token within 1 ms")
    assert curve_line(none, sweep, number=1).endswith("✗ not here")
    assert curve_paragraph(none, sweep)[1][0].startswith("✗ ")


def test_one_user_alone_sees_no_queue() -> None:
    alone = drawn(subject(scale__users=1, latency__tokens_per_s=1.0))
    assert alone.points[0].load == 1
    assert alone.plan is not None
    assert alone.points[0].ttft_s == pytest.approx(alone.plan.capacity.floor_ttft_s)


def test_requests_at_once_are_the_axis_where_they_are_asked() -> None:
    asked = subject(scale__concurrent_requests=20)
    found = drawn(asked, GPU)
    sweep = Sweep(asked.traffic, asked.targets, (found,))
    assert (sweep.unit, sweep.asked) == ("requests at once", 20)
    assert sweep_document(sweep)["unit"] == "requests at once"


def test_rows_and_document_say_the_same(found: Curve) -> None:
    sweep = Sweep(found.plans.subject.traffic, found.plans.subject.targets, (found,))
    rows, document = sweep_rows(sweep), sweep_document(sweep)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len(rows) == len(document["curves"][0]["points"])
    assert document["target_ttft_ms"] == 2000
    within = [p["within_targets"] for p in document["curves"][0]["points"]]
    assert within == [row[-1].startswith("✓") for row in rows]
    assert document["curves"][0]["plan"]["one_machine"]["users"] == document["curves"][0]["most"]


def test_the_work_stops_where_it_is_told_to() -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    plans = make_plans(subject(scale__users=300), (RAM, GPU), 8, None, [], ("llama.cpp",))
    with pytest.raises(Stopped):
        curve(plans, stop)


def test_one_user_is_counted_as_one(found: Curve) -> None:
    asked = found.plans.subject
    users = Sweep(asked.traffic, asked.targets, (found,))
    assert (users.counted(1), users.counted(5000)) == ("1 user", "5,000 users")
    at_once = Sweep(replace(asked.traffic, users=None, concurrent=3), asked.targets, (found,))
    assert (at_once.counted(1), at_once.counted(3)) == ("1 request at once", "3 requests at once")
