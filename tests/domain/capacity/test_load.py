"""Users, requests at once and traces as arrivals."""

from __future__ import annotations

import pytest

from advisor.domain.capacity.load import arrivals
from advisor.domain.capacity.trace import read_trace
from tests.domain.capacity.making import traffic


def test_users_and_rate_give_tokens_in_and_out_at_the_peak() -> None:
    found = traffic(scale__users=5000, scale__requests_per_user_hour=10.0, scale__peak_factor=2.0)
    assert found.mean_requests_per_s == pytest.approx(5000 * 10 / 3600)
    assert found.requests_per_s == pytest.approx(2 * 5000 * 10 / 3600)
    assert found.prompt_tokens_per_s == pytest.approx(512 * found.requests_per_s)
    assert found.answer_tokens_per_s == pytest.approx(256 * found.requests_per_s)


def test_requests_in_flight_follow_littles_law() -> None:
    found = traffic(scale__users=360, scale__requests_per_user_hour=10.0, scale__peak_factor=1.0)
    assert found.in_flight(33.0) == pytest.approx(33.0)


def test_requests_at_once_become_a_rate_by_littles_law() -> None:
    """12 in flight that each take 2 s for the first token and 256 tokens at 8 a second: 12 / 34 a second."""
    found = traffic(scale__concurrent_requests=12, latency__ttft_ms=2000, latency__tokens_per_s=8.0)
    assert found.requests_per_s == pytest.approx(12 / 34)
    assert found.concurrent == 12


def test_a_trace_takes_the_place_of_users_and_rate() -> None:
    found = traffic(read_trace([f"{i},{100 + i},50" for i in range(61)], "t.csv"), scale__users=7)
    assert found.users is None
    assert found.requests_per_s >= found.mean_requests_per_s
    assert found.largest_tokens == 210


def test_growth_scales_the_rate_and_leaves_the_requests_as_they_are() -> None:
    found = traffic(scale__users=100)
    assert found.scaled(10).requests_per_s == pytest.approx(10 * found.requests_per_s)
    assert found.scaled(10).users == 1000
    assert found.scaled(10).sizes == found.sizes


def test_arrivals_are_seeded_and_only_scaled_by_the_rate() -> None:
    slow, fast = arrivals(((5, 5),), 200).at(1.0), arrivals(((5, 5),), 200).at(4.0)
    assert [r.arrival_s for r in fast] == pytest.approx([r.arrival_s / 4 for r in slow])
    assert slow[-1].arrival_s / 200 == pytest.approx(1.0, rel=0.2)
