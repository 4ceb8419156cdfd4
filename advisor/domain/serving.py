"""Users to load: how many requests are in flight, and what that asks of one machine.

Recommendations for one request at a time use the closed form here, which costs microseconds; what a load that several
users share takes is the business of `advisor.domain.capacity`.
"""

from __future__ import annotations

import math

from advisor.domain.basis import Basis
from advisor.domain.constraints import Constraints
from advisor.domain.speed import Speed
from advisor.units import counted
from advisor.values import value

DEFAULT_WAIT_S = 1.0
"""Time to the first token assumed for the load where the user sets no limit."""
DEFAULT_TOKENS_PER_S = 10.0
"""Speed of an answer assumed for the load where the user asks for none."""
MAX_UTILISATION = 0.8
"""Share of a replica's capacity to plan with, so that queues stay short."""

_ONE_AT_A_TIME = "one request at a time; llm-advisor plan simulates several"
_TOO_OFTEN = "more is asked than it can answer one after another: {per_hour} an hour at most"


@value
class Load:
    """What the users ask of the deployment."""

    requests_per_s: float
    in_flight: float
    """Mean number of requests being answered, by Little's law; or the number that the user gave."""
    slots: int
    """Parallel slots, so that at the peak a request seldom waits for one: the mean then, and two standard deviations
    of arrivals."""
    peak_factor: float = 1.0
    """The busiest minutes over the average."""
    is_shared: bool = False
    """Whether requests of several users can meet; a single user sends the next when the last is answered."""


@value
class Plan:
    """How many copies of a candidate the load needs."""

    load: Load
    slots_per_replica: int
    replicas: int
    utilisation: float
    """Share of time, 0..1: that requests keep one machine busy where none meets another, else the share at the peak of
    what no schedule on the replicas exceeds."""
    basis: Basis
    note: str


def answer_seconds(constraints: Constraints) -> float:
    """Seconds that a request may take: the wait for its first token and an answer just as fast as the targets ask."""
    latency = constraints.latency
    wait_s = latency.ttft_ms / 1000 if latency.ttft_ms else DEFAULT_WAIT_S
    return wait_s + constraints.scale.answer_tokens / (latency.tokens_per_s or DEFAULT_TOKENS_PER_S)


def expected_load(constraints: Constraints) -> Load:
    """Load from users and rate."""
    scale = constraints.scale
    rate = scale.users * scale.requests_per_user_hour / 3600
    if scale.concurrent_requests is not None:
        n = scale.concurrent_requests
        return Load(rate, float(n), n, is_shared=n > 1)
    in_flight = rate * answer_seconds(constraints)
    if scale.users == 1:
        return Load(rate, min(1.0, in_flight), 1)
    at_peak = in_flight * scale.peak_factor
    slots = max(1, math.ceil(at_peak + 2 * math.sqrt(at_peak)))
    return Load(rate, in_flight, min(slots, scale.users), scale.peak_factor, is_shared=True)


def plan(load: Load, speed: Speed, slots_per_replica: int, *, answer_tokens: int) -> Plan:
    """One machine, for a load of which no request meets another: more machines would not answer it sooner."""
    busy_s = speed.ttft_ms / 1000 + answer_tokens / speed.decode_tokens_per_s
    demand = load.requests_per_s * busy_s
    note = _ONE_AT_A_TIME if demand <= 1.0 else _TOO_OFTEN.format(per_hour=counted(round(3600 / busy_s), "request"))
    return Plan(
        load=load,
        slots_per_replica=slots_per_replica,
        replicas=1,
        utilisation=min(1.0, demand),
        basis=Basis.ESTIMATED,
        note=note,
    )
