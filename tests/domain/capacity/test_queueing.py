from __future__ import annotations

import random

import pytest

from advisor.domain.capacity.queueing import wait_percentile


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
