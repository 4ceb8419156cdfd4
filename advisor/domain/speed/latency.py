"""What a speed means to the person who waits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from advisor.domain.serving import Load
from advisor.domain.speed.estimate import Speed
from advisor.units import format_milliseconds

READING_WORDS_PER_MINUTE = 238
"""Mean of silent reading of English non-fiction in 190 studies; most adults read 175 to 300
(Brysbaert 2019, doi 10.1016/j.jml.2019.104047)."""
WORDS_PER_TOKEN = 0.75
"""OpenAI's rule of thumb for English (help.openai.com, "What are tokens and how to count them?")."""
READING_TOKENS_PER_S = READING_WORDS_PER_MINUTE / 60 / WORDS_PER_TOKEN


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


def latency_lines(waits: Latency, prompt_tokens: int, answer_tokens: int) -> tuple[str, ...]:
    """The waits in words: first token, full answer, and whether text comes as fast as it is read."""
    first, whole = format_milliseconds(waits.ttft_ms), format_milliseconds(waits.answer_ms)
    queue = "" if waits.percentile is None else f" ({waits.percentile} % of requests wait no longer)"
    return (
        f"first token after {first} for a prompt of {prompt_tokens:,} tokens{queue}",
        f"whole answer of {answer_tokens:,} tokens after {whole}{queue}",
        f"text comes {reading_text(waits.reading_share)}",
    )


def reading_text(share: float) -> str:
    """Decode speed against reading speed, in words."""
    speed = f"{READING_TOKENS_PER_S:.1f} tok/s, {READING_WORDS_PER_MINUTE} words a minute"
    if round(share, 1) >= 1.1:
        return f"{share:.1f} times as fast as people read ({speed})"
    if share >= 0.95:
        return f"about as fast as people read ({speed})"
    return f"at {share:.0%} of the speed at which people read ({speed})"
