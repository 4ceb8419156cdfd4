"""How a download stands and how fast it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.transfer import STEADY_S, WINDOW_S, Rate, Transfer, transfer_text
from advisor.units import GIB, MIB


def test_the_text_tells_bytes_rate_and_time_left() -> None:
    now = Transfer("receive", "f", 1, 1, GIB, 4 * GIB, 32.0 * MIB)
    assert transfer_text(now) == "received 1.00 GiB of 4.00 GiB, 32 MiB/s, 96 s left"
    second = Transfer("receive", "f", 2, 3, GIB, 4 * GIB, None)
    assert transfer_text(second) == "part 2 of 3: received 1.00 GiB of 4.00 GiB"
    waiting = Transfer("wait", "f", 1, 1, 0, 0, None, "the Hub is busy")
    assert transfer_text(waiting) == "the Hub is busy"
    assert waiting.share == 1.0


def test_no_rate_is_told_before_it_rests_on_enough_time() -> None:
    rate = Rate()
    rate.note(10.0, 0)
    rate.note(10.0 + STEADY_S / 2, 5_000)
    assert rate.bytes_per_s is None
    rate.note(10.0 + STEADY_S, 10_000)
    assert rate.bytes_per_s == pytest.approx(10_000 / STEADY_S)


def test_a_connection_that_became_slow_shows_within_the_window() -> None:
    rate = Rate()
    for n in range(100):
        rate.note(n * 0.1, n * 1_000_000)
    for n in range(100):
        rate.note(10.0 + n * WINDOW_S / 10, 99_000_000)
    assert rate.bytes_per_s == 0.0


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=60))
def test_a_rate_once_told_stays_told(steps: list[float]) -> None:
    rate, now, told = Rate(), 0.0, False
    rate.note(now, 0)
    for seconds in steps:
        now += seconds
        rate.note(now, 1000)
        assert rate.bytes_per_s is not None or not told
        told = rate.bytes_per_s is not None


@given(st.lists(st.tuples(st.floats(0.001, 3.0), st.integers(0, 10**9)), min_size=2, max_size=60))
def test_a_rate_lies_between_the_slowest_and_the_fastest_step(steps: list[tuple[float, int]]) -> None:
    rate, now, done, rates = Rate(), 0.0, 0, []
    rate.note(now, done)
    for seconds, n_bytes in steps:
        now, done = now + seconds, done + n_bytes
        rates.append(n_bytes / seconds)
        rate.note(now, done)
    if rate.bytes_per_s is not None:
        assert min(rates) * 0.999 <= rate.bytes_per_s <= max(rates) * 1.001
