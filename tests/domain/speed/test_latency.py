from __future__ import annotations

import random
from dataclasses import replace

import pytest

from advisor.domain.serving import Load
from advisor.domain.speed.latency import (
    READING_TOKENS_PER_S,
    latency,
    latency_lines,
    latency_under_load,
    reading_text,
    wait_percentile,
)
from tests.builders import model
from tests.domain.speed.placing import best_speed

SPEED = replace(best_speed(model(), "Q4_K_M"), decode_tokens_per_s=10.0, ttft_ms=500.0)


def test_the_full_answer_is_the_first_token_and_the_others() -> None:
    found = latency(SPEED, 101)
    assert (found.ttft_ms, found.answer_ms) == (500.0, 10_500.0)
    assert found.reading_share == pytest.approx(10 / READING_TOKENS_PER_S)
    assert found.wait_ms is None


def simulated_wait(rate: float, service: float, servers: int, share: float) -> float:
    """The percentile of the queueing time, by drawing arrivals and exponential services."""
    draw, now, waits = random.Random(7), 0.0, []
    free = [0.0] * servers
    for _ in range(60_000):
        now += draw.expovariate(rate)
        free.sort()
        begin = max(now, free[0])
        waits.append(begin - now)
        free[0] = begin + draw.expovariate(1 / service)
    return sorted(waits)[int(share * len(waits))]


@pytest.mark.parametrize(("rate", "servers"), [(0.5, 1), (0.08, 1), (1.6, 2)])
def test_waits_are_those_of_a_simulated_queue(rate: float, servers: int) -> None:
    expected = simulated_wait(rate, 1.0, servers, 0.95)
    assert wait_percentile(rate, 1.0, servers, 0.95) == pytest.approx(expected, rel=0.1, abs=0.05)


def test_a_queue_that_never_empties_has_no_percentile() -> None:
    assert wait_percentile(2.0, 1.0, 2, 0.9) is None
    assert latency_under_load(SPEED, 101, Load(1.0, 10.0, 10), 10, 95).wait_ms is None


def test_load_adds_waiting_to_both_ends() -> None:
    found = latency_under_load(SPEED, 101, Load(0.05, 0.5, 2), 1, 95)
    assert found.wait_ms is not None
    assert found.wait_ms > 0
    assert found.ttft_ms == pytest.approx(500 + found.wait_ms)
    assert found.percentile == 95


@pytest.mark.parametrize(
    ("share", "words"),
    [(3.5, "3.5 times as fast as people read"), (1.0, "about as fast as people read"), (0.4, "at 40% of the speed")],
)
def test_words_say_whether_text_outruns_its_reader_and_what_reading_is_taken_to_be(share: float, words: str) -> None:
    assert reading_text(share).startswith(words)
    assert "5.3 tok/s, 238 words a minute" in reading_text(share)


def test_lines_of_many_requests_name_the_percentile_that_their_waits_are_of() -> None:
    alone = latency_lines(latency(SPEED, 101), 512, 101)
    loaded = latency_lines(latency_under_load(SPEED, 101, Load(0.05, 0.5, 2), 1, 95), 512, 101)
    assert alone[1] == "whole answer of 101 tokens after 10.5 s"
    assert "95 % of requests wait no longer" in loaded[0]
    assert "95 %" not in "".join(alone)
