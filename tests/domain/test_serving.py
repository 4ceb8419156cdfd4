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


def test_one_user_needs_one_slot_and_waits_for_each_answer() -> None:
    load = expected_load(constraints(scale__users=1, scale__requests_per_user_hour=100_000.0))
    assert (load.slots, load.in_flight) == (1, 1.0)


def test_requests_that_come_one_at_a_time_take_one_machine() -> None:
    """256 tokens at 32 tokens per second: 8 s, so 450 in an hour at most."""
    seldom = plan(Load(0.05, 0.4, 1), speed(32.0), 1, answer_tokens=256)
    assert seldom.replicas == 1
    assert seldom.utilisation == pytest.approx(0.4)
    often = plan(Load(1.0, 1.0, 1), speed(32.0), 1, answer_tokens=256)
    assert (often.replicas, often.utilisation) == (1, 1.0)
    assert "450 requests an hour at most" in often.note
