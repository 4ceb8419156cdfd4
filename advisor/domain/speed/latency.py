"""What a speed means to the person who waits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from advisor.domain.serving import Load
from advisor.domain.speed.estimate import Speed

READING_TOKENS_PER_S = 238 / 60 / 0.75
"""Silent reading of English non-fiction, 238 words a minute (Brysbaert 2019, doi 10.1016/j.jml.2019.104047), at three
words in four tokens (OpenAI's rule of thumb for English)."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Waits of one request."""

    ttft_ms: float
    answer_ms: float
    """From sending the prompt to the last token."""
    reading_share: float
    """Decode speed over reading speed; from 1 on, text appears faster than it is read."""
    wait_ms: float | None
    """Wait for a free replica that the percentile of requests stays below; None without load, or with more load
    than the replicas can ever work off."""
    percentile: int | None


def latency(speed: Speed, answer_tokens: int) -> Latency:
    """Waits of a request that has the machine to itself."""
    answer_ms = speed.ttft_ms + 1000 * max(0, answer_tokens - 1) / speed.decode_tokens_per_s
    return Latency(speed.ttft_ms, answer_ms, speed.decode_tokens_per_s / READING_TOKENS_PER_S, None, None)


def latency_under_load(speed: Speed, answer_tokens: int, load: Load, replicas: int, percentile: int) -> Latency:
    """Waits where requests arrive at random and each replica answers one after the other, as the plan counts."""
    alone = latency(speed, answer_tokens)
    wait_s = wait_percentile(load.requests_per_s * load.peak_factor, alone.answer_ms / 1000, replicas, percentile / 100)
    wait_ms = None if wait_s is None else 1000 * wait_s
    answer_ms = alone.answer_ms + (wait_ms or 0.0)
    return Latency(alone.ttft_ms + (wait_ms or 0.0), answer_ms, alone.reading_share, wait_ms, percentile)


def wait_percentile(arrivals_per_s: float, service_s: float, servers: int, share: float) -> float | None:
    """Seconds in the queue that a share of requests stays below, by Erlang's C formula; None where it never empties."""
    offered = arrivals_per_s * service_s
    if offered >= servers:
        return None
    if offered <= 0:
        return 0.0
    waiting = _erlang_c(offered, servers)
    if waiting <= 1 - share:
        return 0.0
    return math.log(waiting / (1 - share)) * service_s / (servers - offered)


def _erlang_c(offered: float, servers: int) -> float:
    """Probability that a request has to wait."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))
