"""What the candidates of a recommendation carry of the users' load on the machine at hand.

A bound that no schedule exceeds is computed for every candidate in closed form; the few that could come first are
simulated. Both are those of plans (`advisor.domain.capacity.plan`), for llama.cpp's server.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

from advisor.domain.capacity import llamacpp
from advisor.domain.capacity.bounds import requests_bound, wait_estimate
from advisor.domain.capacity.load import Traffic, traffic_of
from advisor.domain.capacity.replica import Replica, SlotsBy
from advisor.domain.capacity.targets import (
    Capacity,
    Targets,
    capacity,
    fast_enough,
    holds,
    longest_wait_s,
    run_at,
    targets_of,
)
from advisor.domain.carried_load import CarriedLoad
from advisor.domain.constraints import Constraints
from advisor.domain.fit import Fit
from advisor.domain.model import Shape
from advisor.domain.serving import MAX_UTILISATION
from advisor.domain.slots import MAX_SLOTS
from advisor.domain.speed.constants import SpeedConstants
from advisor.domain.weights import Weights

REQUESTS = 400
"""Requests of a run: a recommendation must come at once, and `plan` simulates thoroughly."""
HALVINGS = 5
"""Runs of a search after the first: the rate is then known to a fortieth of the bound."""
_BOUND_HALVINGS = 8
"""The same in closed form."""


@dataclass(frozen=True, slots=True)
class LoadHere:
    """The load, and what is the same for every candidate that is held against it."""

    traffic: Traffic
    targets: Targets
    speed: SpeedConstants

    def replica(self, shape: Shape, quantization: str, held: Weights, fit: Fit) -> Replica | None:
        """A placed model as plans see it; None where the bandwidth of a GPU is unknown."""
        traffic = self.traffic
        depth = round(traffic.prompt_tokens + traffic.answer_tokens / 2)
        costs = llamacpp.step_costs(shape, held, fit, self.speed, depth_tokens=depth)
        if costs is None:
            return None
        placed = llamacpp.limits(fit.placement)
        slots_by: SlotsBy = "engine" if placed.slots >= MAX_SLOTS else "memory"
        limits, slots_by = fast_enough(traffic, self.targets, costs, placed, slots_by)
        return Replica(
            engine="llama.cpp",
            place="this machine",
            quantization=quantization,
            tensor_parallel=1,
            pipeline_parallel=1,
            context_tokens=fit.placement.slot_tokens,
            costs=costs,
            limits=limits,
            slots_by=slots_by,
            weights_bytes=held.total_bytes,
            cache_bytes=fit.footprint.kv_cache_bytes,
            read_s=0.0,
            fit=fit,
        )

    def bounded(self, replica: Replica, copies: int) -> CarriedLoad:
        """What copies of a replica carry by the bound, and for certain where the users are so few that it is plain."""
        traffic = self.traffic
        bound = requests_bound(replica, traffic)
        floor_s = replica.costs.prompt_s(round(traffic.prompt_tokens), replica.limits.chunk_tokens)
        asked = traffic.requests_per_s
        plain = self._plainly(replica, copies, floor_s)
        most = copies * self._most_without_queue(replica, bound, floor_s, asked / copies)
        return CarriedLoad(
            slots=replica.limits.slots,
            copies=copies,
            gpus_per_copy=replica.gpus,
            asked_per_s=asked,
            at_most_per_s=max(plain, most),
            requests_per_s=max(plain, most),
            most_per_s=max(plain, bound * copies),
            users=traffic.users,
            concurrent=traffic.concurrent,
            is_simulated=plain >= asked,
            breaks_first=None,
            floor_ttft_s=floor_s,
        )

    def _most_without_queue(self, replica: Replica, bound: float, floor_s: float, asked: float) -> float:
        """The highest rate, up to the one that is asked, at which the asked percentile waits no longer than the target
        leaves room for by Erlang's C formula. Its answers take as long as the bound's, so real queues are longer."""
        targets = self.targets
        allowed_s = longest_wait_s(floor_s) if targets.ttft_s is None else targets.ttft_s - floor_s
        if allowed_s < 0:
            return 0.0

        def holds_at(rate: float) -> bool:
            wait_s = wait_estimate(replica, self.traffic, rate, targets.share)
            return wait_s is not None and wait_s <= allowed_s

        low, high = 0.0, min(asked, MAX_UTILISATION * bound)
        if holds_at(high):
            return high
        for _ in range(_BOUND_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if holds_at(middle) else (low, middle)
        return high

    def _plainly(self, replica: Replica, copies: int, floor_s: float) -> float:
        """The rate of so few users that none of them waits for a slot, since each sends the next request after the last
        answer, and that the targets hold even when all send at once; the same for requests at once."""
        senders = self.traffic.users or self.traffic.concurrent
        if senders is None:
            return 0.0
        n = min(senders, replica.limits.slots_for(self.traffic.largest_tokens))
        while n and not self._holds_at_worst(replica, n, floor_s):
            n -= 1
        return self.traffic.requests_per_s * min(1.0, n * copies / senders)

    def _holds_at_worst(self, replica: Replica, n: int, floor_s: float) -> bool:
        """Whether so many senders get what is asked while each answer stands still for the prompts of all others."""
        traffic, targets = self.traffic, self.targets
        depth = traffic.prompt_tokens + traffic.answer_tokens / 2
        token_s = replica.costs.token_s(n, depth) + (n - 1) * floor_s / traffic.answer_tokens
        seconds = n * floor_s + traffic.answer_tokens * token_s
        keeps_up = traffic.users is None or traffic.requests_per_s / traffic.users * seconds <= 1.0
        is_soon, is_fast = n * floor_s <= (targets.ttft_s or math.inf), token_s <= (targets.tpot_s or math.inf)
        return keeps_up and is_soon and is_fast

    def holds(self, replica: Replica, copies: int) -> bool:
        """Whether a simulation of the asked load meets the targets."""
        return _holds(replica, self.traffic, self.targets, copies)

    def searched(self, replica: Replica, found: CarriedLoad) -> CarriedLoad:
        """The same with the highest rate that simulations find, for a load that is too much."""
        most = _searched(replica, self.traffic, self.targets)
        plain = self._plainly(replica, found.copies, found.floor_ttft_s)
        return replace(
            found,
            requests_per_s=max(plain, min(most.requests_per_s * found.copies, found.requests_per_s)),
            breaks_first=most.breaks_first,
            is_simulated=True,
        )


def load_here(constraints: Constraints, speed: SpeedConstants) -> LoadHere:
    """The load of the constraints."""
    return LoadHere(traffic_of(constraints), targets_of(constraints), speed)


@cache
def _holds(replica: Replica, traffic: Traffic, targets: Targets, copies: int) -> bool:
    return holds(run_at(replica, traffic, traffic.requests_per_s / copies, targets, REQUESTS), targets)


@cache
def _searched(replica: Replica, traffic: Traffic, targets: Targets) -> Capacity:
    return capacity(replica, traffic, targets, requests=REQUESTS, halvings=HALVINGS)
