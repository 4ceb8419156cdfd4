"""How much load one replica carries within the targets, and what breaks first beyond it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from advisor.domain.capacity.bounds import prompt_share, requests_bound
from advisor.domain.capacity.breaks import Breaks
from advisor.domain.capacity.load import Arrivals, Traffic, arrivals
from advisor.domain.capacity.replica import Replica, SlotsBy
from advisor.domain.capacity.simulation import Limits, Request, Run, simulate
from advisor.domain.capacity.step import StepCosts
from advisor.domain.constraints import Constraints
from advisor.domain.serving import DEFAULT_WAIT_S, MAX_UTILISATION

SEARCHED_REQUESTS = 1500
"""Least number of requests of a trial run."""
REPORTED_REQUESTS = 10_000
"""Requests of the run that a plan reports."""
HALVINGS = 7
"""Trials after the first: the rate is then known to a hundredth of the bound."""
_MOST_CHUNKS = 20_000
"""Steps of prompts that one run simulates: prompts of a million tokens take many each."""
_FEWEST = 100
"""Requests of a run however long they are."""
_STEP = 0.95
"""By which a rate is lowered that a run of full length does not bear out."""
_MOST_STEPS = 30
"""Down to a fifth of the rate."""
_OFTEN = 0.05
"""Share of time with every slot taken from which on the slots are what is missing."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a share of the requests must not exceed."""

    percentile: int
    ttft_s: float | None
    tpot_s: float | None
    """Seconds between two tokens."""

    @property
    def share(self) -> float:
        return self.percentile / 100

    def reachable(self, found: Capacity) -> bool:
        """Whether a request that has the replica to itself meets them."""
        return (self.ttft_s or math.inf) >= found.floor_ttft_s and (self.tpot_s or math.inf) >= found.floor_tpot_s


def targets_of(constraints: Constraints) -> Targets:
    """The targets of the constraints. Without a limit on the first token, the wait for a slot is limited instead."""
    latency = constraints.latency
    return Targets(
        latency.percentile,
        None if latency.ttft_ms is None else latency.ttft_ms / 1000,
        None if latency.tokens_per_s is None else 1 / latency.tokens_per_s,
    )


def fast_enough(
    traffic: Traffic, targets: Targets, costs: StepCosts, limits: Limits, slots_by: SlotsBy
) -> tuple[Limits, SlotsBy]:
    """No more slots than leave each request the speed that is asked for, and what then keeps them from being more."""
    slots = limits.slots_for(traffic.largest_tokens)
    if limits.cache_tokens is not None and slots < limits.slots:
        slots_by = "memory"
    depth = round(traffic.prompt_tokens + traffic.answer_tokens / 2)
    if targets.tpot_s is None or costs.token_s(slots, depth) <= targets.tpot_s:
        return limits, slots_by
    low, high = 1, slots
    while high - low > 1:
        middle = (low + high) // 2
        if costs.token_s(middle, depth) <= targets.tpot_s:
            low = middle
        else:
            high = middle
    return replace(limits, slots=low), "load"


@dataclass(frozen=True, slots=True)
class Spread:
    """A time at three percentiles and at the one that is asked for, in seconds."""

    p50: float
    p95: float
    p99: float
    asked: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the requests of a run saw, once it had settled."""

    wait: Spread
    ttft: Spread
    tpot: Spread
    seconds: float
    """Mean time from arrival to the last token."""
    answer_tokens_per_s: float
    utilisation: float
    """The rate as a share of the bound that no schedule exceeds."""
    busy_share: float
    """Share of time in which the replica computed; batches are small at first, so it is high long before the bound."""
    most_in_flight: int
    in_flight: float
    """Mean number of requests being answered, by Little's law."""
    full_share: float
    """Share of time in which a request waited because every slot was taken."""
    n_requests: int
    floor_ttft_s: float = 0.0
    """First token of a request that has the replica to itself."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one replica carries."""

    requests_per_s: float
    """The most at which the targets hold; 0 where they hold for no load at all."""
    bound_requests_per_s: float
    """What no schedule could exceed, whatever the waits."""
    breaks_first: Breaks
    floor_ttft_s: float
    """First token of a request that has the replica to itself."""
    floor_tpot_s: float


def measure(run: Run, rate: float, bound: float, share: float, slots: int) -> Metrics:
    """Percentiles over the requests after the first tenth, or after two fillings of the slots if that is more."""
    served = run.served
    settled = served[min(len(served) // 2, max(len(served) // 10, 2 * slots)) :]
    seconds = sum(s.end_s for s in settled) / len(settled)
    return Metrics(
        wait=_spread([s.wait_s for s in settled], share),
        ttft=_spread([s.ttft_s for s in settled], share),
        tpot=_spread([s.tpot_s for s in settled], share),
        seconds=seconds,
        answer_tokens_per_s=run.decoded_tokens / run.end_s,
        utilisation=rate / bound,
        busy_share=min(1.0, run.busy_s / run.end_s),
        most_in_flight=run.most_in_flight,
        in_flight=rate * seconds,
        full_share=run.full_s / run.end_s,
        n_requests=len(served),
    )


def _spread(values: list[float], share: float) -> Spread:
    values.sort()
    return Spread(*(percentile(values, at) for at in (0.5, 0.95, 0.99, share)))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that a share of the values does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def holds(metrics: Metrics, targets: Targets) -> bool:
    """Whether the targets are met."""
    if targets.tpot_s is not None and metrics.tpot.asked > targets.tpot_s:
        return False
    if targets.ttft_s is not None:
        return metrics.ttft.asked <= targets.ttft_s
    return metrics.wait.asked <= longest_wait_s(metrics.floor_ttft_s)


def longest_wait_s(floor_ttft_s: float) -> float:
    """How long a request may wait for a slot where the first token has no limit: a second, or as long as its prompt
    takes anyhow. A request that comes while a processor computes another's prompt waits for that."""
    return max(DEFAULT_WAIT_S, floor_ttft_s)


def run_at(replica: Replica, traffic: Traffic, rate: float, targets: Targets, count: int) -> Metrics:
    """Simulate one replica under a rate of requests."""
    chunks = 1 + traffic.prompt_tokens / replica.limits.chunk_tokens
    count = min(count, max(_FEWEST, int(_MOST_CHUNKS / chunks)))
    run = simulate(replica.costs, replica.limits, _arrivals(traffic.sizes, count).at(rate))
    bound = requests_bound(replica, traffic)
    found = measure(run, rate, bound, targets.share, _slots(replica, traffic))
    return replace(found, floor_ttft_s=_floors(replica, traffic)[0])


def run_alone(replica: Replica, traffic: Traffic, targets: Targets) -> Metrics:
    """What one user sees who has a replica to himself: each request comes when the one before is done."""
    costs, bound = replica.costs, requests_bound(replica, traffic)
    requests, now = [], 0.0
    for prompt, answer in traffic.sizes[:SEARCHED_REQUESTS]:
        requests.append(Request(now, prompt, answer))
        now += costs.prompt_s(prompt, replica.limits.chunk_tokens) + answer * costs.token_s(1, prompt + answer)
    rate = traffic.requests_per_s / max(1, traffic.users or 1)
    return measure(simulate(costs, replica.limits, requests), rate, bound, targets.share, 0)


def capacity(
    replica: Replica,
    traffic: Traffic,
    targets: Targets,
    *,
    requests: int = SEARCHED_REQUESTS,
    halvings: int = HALVINGS,
) -> Capacity:
    """Search for the highest rate that keeps the targets, by halving between none and a share of the bound.

    Nearer to the bound queues grow for as long as a peak lasts, which no run of a few minutes would show. `requests`
    are simulated in each trial, more where there are many slots to fill.
    """
    count = max(requests, 10 * _slots(replica, traffic))
    bound = requests_bound(replica, traffic)
    floor_ttft, floor_tpot = _floors(replica, traffic)
    low, high = 0.0, MAX_UTILISATION * bound
    hopeless = Capacity(0.0, bound, _cause(replica, traffic, targets, None), floor_ttft, floor_tpot)
    if not targets.reachable(hopeless):
        return hopeless
    broken = run_at(replica, traffic, high, targets, count)
    if holds(broken, targets):
        low = high
    for _ in range(halvings if low < high else 0):
        middle = (low + high) / 2
        metrics = run_at(replica, traffic, middle, targets, count)
        if holds(metrics, targets):
            low = middle
        else:
            high, broken = middle, metrics
    return Capacity(low, bound, _cause(replica, traffic, targets, broken), floor_ttft, floor_tpot)


def _floors(replica: Replica, traffic: Traffic) -> tuple[float, float]:
    """First token and time per token of a request that has the replica to itself."""
    prompt_s = replica.costs.prompt_s(round(traffic.prompt_tokens), replica.limits.chunk_tokens)
    return prompt_s, replica.costs.token_s(1, traffic.prompt_tokens)


def _cause(replica: Replica, traffic: Traffic, targets: Targets, metrics: Metrics | None) -> Breaks:
    """What stands in the way where the targets break, or where nearly all of the replica's time is taken."""
    if prompt_share(replica, traffic) > 0.5:
        return "prefill_compute"
    if metrics is None or (targets.tpot_s is not None and metrics.tpot.asked > targets.tpot_s):
        return "decode_bandwidth"
    if metrics.full_share > _OFTEN or metrics.wait.asked > metrics.ttft.asked / 2:
        by_slots: dict[SlotsBy, Breaks] = {"memory": "kv_memory", "load": "decode_bandwidth", "engine": "queue"}
        return by_slots[replica.slots_by]
    return "decode_bandwidth" if holds(metrics, targets) else "prefill_compute"


def confirmed(replica: Replica, traffic: Traffic, targets: Targets, found: Capacity) -> Capacity:
    """The capacity held against a run of full length, and lowered step by step until the targets hold there too; 0
    where that takes too many steps, since requests of some sizes may miss them however few come."""
    rate = found.requests_per_s
    for _ in range(_MOST_STEPS):
        if rate <= 0 or holds(run_at(replica, traffic, rate, targets, REPORTED_REQUESTS), targets):
            return replace(found, requests_per_s=rate)
        rate *= _STEP
    return replace(found, requests_per_s=0.0)


def _slots(replica: Replica, traffic: Traffic) -> int:
    return max(1, replica.limits.slots_for(traffic.prompt_tokens + traffic.answer_tokens))


@cache
def _arrivals(sizes: tuple[tuple[int, int], ...], count: int) -> Arrivals:
    return arrivals(sizes, count)
