from __future__ import annotations

import pytest

from advisor.domain.basis import Basis
from advisor.domain.serving import Load, expected_load, plan
from advisor.domain.speed import Speed
from tests.builders import constraints


def speed(decode: float, ttft_ms: float = 0.0) -> Speed:
    return Speed(decode, 1000.0, ttft_ms, decode, decode, 0, 512, Basis.ESTIMATED, ())


def test_requests_in_flight_follow_littles_law() -> None:
    """3600 requests an hour that take 1 s and 256 tokens at 8 tokens per second: 33 in flight."""
    asked = {"scale__users": 360, "scale__requests_per_user_hour": 10.0, "latency__tokens_per_s": 8.0}
    load = expected_load(constraints(**asked, scale__peak_factor=1.0))
    assert load.requests_per_s == 1.0
    assert load.in_flight == pytest.approx(33.0)
    assert load.slots == 45
    at_peak = expected_load(constraints(**asked, scale__peak_factor=2.0))
    assert at_peak.in_flight == load.in_flight
    assert at_peak.slots == 83


def test_a_known_number_of_requests_is_taken_as_it_is() -> None:
    assert expected_load(constraints(scale__concurrent_requests=12)).slots == 12


def test_one_user_needs_one_slot() -> None:
    assert expected_load(constraints(scale__users=1, scale__requests_per_user_hour=100.0)).slots == 1


def test_replicas_cover_slots_and_work() -> None:
    by_work = plan(Load(1.0, 10.0, 4), speed(32.0), 4, answer_tokens=256)
    assert by_work.replicas == 10
    assert by_work.utilisation == pytest.approx(0.8)
    by_slots = plan(Load(0.001, 10.0, 40), speed(32.0), 4, answer_tokens=256)
    assert by_slots.replicas == 10
