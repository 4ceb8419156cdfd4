"""Measuring the finalists of a recommendation, with measurements made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from advisor.domain.basis import Basis
from advisor.domain.recommend import Recommendation
from advisor.domain.speed import SpeedConstants, estimate_speed
from advisor.domain.speed_report import Subject
from advisor.service import Advisor, measuring
from advisor.service.measuring import FINALISTS, Measurement
from advisor.units import GIB
from tests.builders import constraints, machine

HERE = machine(48 * GIB)


@pytest.fixture(scope="module")
def advisor() -> Advisor:
    return Advisor()


def found(advisor: Advisor) -> Recommendation:
    return advisor.recommend(HERE, constraints(latency__tokens_per_s=None))


def at_share(share: float) -> Callable[..., Measurement]:
    def fake(subject: Subject, here: object, constants: SpeedConstants, *rest: object, **named: object) -> Measurement:
        estimated = estimate_speed(
            subject.model,
            subject.weights,
            subject.fit,
            constants,
            depth_tokens=subject.depth_tokens,
            prompt_tokens=subject.prompt_tokens,
        )
        assert estimated is not None
        rate = share * estimated.decode_tokens_per_s
        speed = replace(estimated, decode_tokens_per_s=rate, low=rate, high=rate, basis=Basis.MEASURED)
        return Measurement(speed, estimated)

    return fake


def test_the_best_are_measured_and_all_others_calibrated(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "measure", at_share(0.5))
    before = found(advisor)
    shown: list[Recommendation] = []
    after, problems = advisor.measure_finalists(before, on_ranking=shown.append)
    assert problems == ()
    assert shown[-1] is after
    assert {c.speed.basis for c in after.ranked[:FINALISTS] if c.speed} == {Basis.MEASURED}
    assert {c.speed.basis for c in after.quantizations if c.speed} == {Basis.MEASURED, Basis.CALIBRATED}
    rates = {c.id: c.speed.decode_tokens_per_s for c in before.quantizations if c.speed}
    for candidate in after.quantizations:
        assert candidate.speed is not None
        assert candidate.speed.decode_tokens_per_s == pytest.approx(0.5 * rates[candidate.id])


def test_a_slower_machine_than_estimated_can_change_the_pick(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = constraints(latency__tokens_per_s=6.0)
    before = advisor.recommend(HERE, asked)
    monkeypatch.setattr(measuring, "measure", at_share(0.3))
    after, _ = advisor.measure_finalists(before)
    assert all(c.speed and c.speed.decode_tokens_per_s >= 6.0 for c in after.quantizations)
    assert len(after.quantizations) < len(before.quantizations)


def test_what_cannot_be_measured_is_said_and_the_ranking_stands(
    advisor: Advisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", lambda *a, **k: Measurement(None, None, "too noisy"))
    before = found(advisor)
    after, problems = advisor.measure_finalists(before)
    assert after is before
    assert len(problems) == FINALISTS
    assert all("too noisy" in text for text in problems)


def test_on_a_simulated_machine_nothing_is_measured(advisor: Advisor) -> None:
    before = advisor.recommend(replace(HERE, simulated=True), constraints(latency__tokens_per_s=None))
    after, problems = advisor.measure_finalists(before)
    assert after is before
    assert all("simulated" in text for text in problems)


def test_one_candidate_alone_is_measured_and_what_was_measured_before_stays(
    advisor: Advisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", at_share(0.5))
    before = found(advisor)
    first, last = before.ranked[0].id, before.ranked[-1].id
    named: list[object] = []
    one, _ = advisor.measure_finalists(before, only=last, on_event=lambda event: named.append(event.payload["id"]))
    assert named == [last]
    two, _ = advisor.measure_finalists(one, only=first)
    timed = {c.id for c in two.quantizations if c.speed and c.speed.basis is Basis.MEASURED}
    assert timed == {first, last}


def test_asking_again_where_all_are_measured_times_them_anew_and_calibrates_by_that(
    advisor: Advisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", at_share(0.5))
    slow, _ = advisor.measure_finalists(found(advisor))
    asked: list[object] = []

    def fast(*arguments: object, **named: object) -> Measurement:
        asked.append(named["cache_use"])
        return at_share(1.0)(*arguments, **named)

    monkeypatch.setattr(measuring, "measure", fast)
    again, problems = advisor.measure_finalists(slow)
    assert problems == ()
    assert asked == ["renew"] * FINALISTS
    rates = {c.id: c.speed.decode_tokens_per_s for c in slow.quantizations if c.speed}
    finalists = {c.id for c in again.ranked[:FINALISTS]}
    for candidate in again.quantizations:
        assert candidate.speed is not None
        if candidate.id in finalists or candidate.speed.basis is Basis.CALIBRATED:
            assert candidate.speed.decode_tokens_per_s == pytest.approx(2 * rates[candidate.id])


def test_the_comparison_and_the_search_for_hardware_go_by_what_was_measured(
    advisor: Advisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", at_share(0.5))
    measured, _ = advisor.measure_finalists(found(advisor))
    first, second = measured.ranked[:2]
    compared = advisor.compare([first.id, second.id], HERE, measured.constraints, measured.timings)
    for subject, candidate in zip(compared.subjects, (first, second), strict=True):
        assert subject.placed is not None
        assert subject.placed.speed == candidate.speed
    answer = advisor.hardware_for(first.model.id, HERE, measured.constraints, timings=measured.timings)
    assert answer.here is not None
    assert answer.here.speed in [c.speed for c in measured.quantizations if c.model == first.model]


def test_a_speed_at_other_lengths_is_measured_again(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "measure", at_share(0.5))
    before, _ = advisor.measure_finalists(found(advisor), only=found(advisor).ranked[0].id)
    scale = before.constraints.scale
    assert before.timings.at(scale.prompt_tokens, scale.mean_depth_tokens) == before.timings
    other = before.timings.at(scale.prompt_tokens + 1, scale.mean_depth_tokens)
    assert (other.measured, other.calibrations) == ({}, before.timings.calibrations)
