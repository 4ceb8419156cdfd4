"""What the users ask: arrivals, tokens, and requests in flight by Little's law."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.domain.capacity.simulation import Request
from advisor.domain.capacity.trace import Trace
from advisor.domain.constraints import Constraints
from advisor.domain.serving import answer_seconds
from advisor.units import counted

SEED = 7
"""Of the arrivals: the same load gives the same plan."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The load at its peak, for which everything is sized."""

    users: int | None
    """None where a trace or a number of requests at once says it instead."""
    mean_requests_per_s: float
    peak_factor: float
    prompt_tokens: float
    answer_tokens: float
    """Means over the requests."""
    sizes: tuple[tuple[int, int], ...]
    """Prompt and answer tokens that requests have, each equally often."""
    concurrent: int | None
    """Requests at once, where the user gave it."""
    source: str
    """What it follows from, in words."""

    @property
    def requests_per_s(self) -> float:
        return self.mean_requests_per_s * self.peak_factor

    @property
    def prompt_tokens_per_s(self) -> float:
        return self.requests_per_s * self.prompt_tokens

    @property
    def answer_tokens_per_s(self) -> float:
        return self.requests_per_s * self.answer_tokens

    @property
    def largest_tokens(self) -> int:
        return max(prompt + answer for prompt, answer in self.sizes)

    def in_flight(self, seconds_per_request: float) -> float:
        """Mean number of requests being answered at the peak (Little's law: L = lambda W)."""
        return self.requests_per_s * seconds_per_request

    def scaled(self, factor: float) -> Traffic:
        """The same requests from so many times the users."""
        users = None if self.users is None else round(self.users * factor)
        concurrent = None if self.concurrent is None else round(self.concurrent * factor)
        return replace(self, users=users, concurrent=concurrent, mean_requests_per_s=self.mean_requests_per_s * factor)


def traffic_of(constraints: Constraints, trace: Trace | None = None) -> Traffic:
    """The load of the constraints, or of a trace in their place."""
    if trace is not None:
        return Traffic(
            users=None,
            mean_requests_per_s=trace.mean_requests_per_s,
            peak_factor=max(1.0, trace.peak_requests_per_s / trace.mean_requests_per_s),
            prompt_tokens=trace.mean_prompt_tokens,
            answer_tokens=trace.mean_answer_tokens,
            sizes=trace.sizes,
            concurrent=None,
            source=f"trace of {trace.n_requests:,} requests in {trace.seconds:,.0f} s; the peak is its busiest minute",
        )
    scale = constraints.scale
    rate = scale.users * scale.requests_per_user_hour / 3600
    users = counted(scale.users, "user")
    source = f"{users} × {scale.requests_per_user_hour:g} requests an hour, peak × {scale.peak_factor:g}"
    peak = scale.peak_factor
    if scale.concurrent_requests is not None:
        # Little's law the other way round: so many in flight, each as long as the targets allow.
        rate, peak = scale.concurrent_requests / answer_seconds(constraints), 1.0
        source = f"{counted(scale.concurrent_requests, 'request')} at once, each as long as the targets allow"
    return Traffic(
        users=None if scale.concurrent_requests is not None else scale.users,
        mean_requests_per_s=rate,
        peak_factor=peak,
        prompt_tokens=scale.prompt_tokens,
        answer_tokens=scale.answer_tokens,
        sizes=((scale.prompt_tokens, scale.answer_tokens),),
        concurrent=scale.concurrent_requests,
        source=source,
    )


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Random arrivals that are the same at every rate but for the time between them."""

    gaps: tuple[float, ...]
    """Exponential with mean 1."""
    sizes: tuple[tuple[int, int], ...]

    def at(self, requests_per_s: float) -> tuple[Request, ...]:
        """The requests that reach one replica at that rate."""
        now, found = 0.0, []
        for gap, (prompt, answer) in zip(self.gaps, self.sizes, strict=True):
            now += gap / requests_per_s
            found.append(Request(now, prompt, answer))
        return tuple(found)


def arrivals(sizes: Sequence[tuple[int, int]], count: int, seed: int = SEED) -> Arrivals:
    """Requests that arrive independently of each other, as those of many users do (a Poisson process)."""
    chance = random.Random(seed)
    gaps = tuple(chance.expovariate(1.0) for _ in range(count))
    if len(sizes) == 1:
        return Arrivals(gaps, (sizes[0],) * count)
    return Arrivals(gaps, tuple(chance.choice(sizes) for _ in range(count)))
