"""Replicas of one model on machines that are there, which may differ from each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from advisor.domain.capacity.nodes import Node
from advisor.domain.capacity.options import (
    Option,
    Subject,
    alone_requests_per_s,
    llama_on_machine,
    unsupported,
    vllm_on_node,
)
from advisor.domain.capacity.replica import ENGINES, EngineName, Refusal, Replica
from advisor.domain.capacity.targets import REPORTED_REQUESTS, Capacity, Metrics, capacity, confirmed, run_alone, run_at
from advisor.domain.placement import Pool


@dataclass(frozen=True, slots=True)
class Site:
    """One machine of a fleet, as far as a plan needs it."""

    name: str
    pools: tuple[Pool, ...]
    threads: int
    node: Node | None
    """Where its GPUs are alike and known: for engines that serve from GPUs alone."""
    no_memory: str | None = None
    """Why llama.cpp may use no system memory, without which it does not start; None where it may."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one machine takes of the load."""

    site: str
    replica: Replica
    capacity: Capacity
    """Of one of its replicas."""
    fits: int
    """Replicas that the machine holds."""
    placed: int
    """Replicas that the plan puts there."""
    metrics: Metrics | None
    """What users see there at the peak, while the fastest replica of the fleet is lost; None without a replica."""

    @property
    def slots(self) -> int:
        """Requests that its replicas answer at once."""
        return self.placed * self.replica.limits.slots


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """One engine on the fleet."""

    spare: ClassVar[int] = 1
    """Replicas that may be lost while the targets still hold: the fastest is counted as lost."""

    engine: EngineName
    shares: tuple[Share, ...]
    """Every machine that holds the model, the fastest first."""
    is_enough: bool
    """The peak is carried within the targets, one replica lost."""
    carried_requests_per_s: float
    """By the placed replicas without the fastest."""

    @property
    def replicas(self) -> int:
        return sum(share.placed for share in self.shares)

    @property
    def unharmed_requests_per_s(self) -> float:
        """What the placed replicas carry while none is lost."""
        return sum(share.placed * share.capacity.requests_per_s for share in self.shares)

    @property
    def machines(self) -> int:
        """Machines with a replica."""
        return sum(1 for share in self.shares if share.placed)


@dataclass(frozen=True, slots=True)
class FleetPlans:
    """Everything that was found for one load on one fleet."""

    subject: Subject
    sites: int
    plans: tuple[FleetPlan, ...]
    """One for each engine that has a machine: those that are enough first, then by fewest replicas."""
    refusals: tuple[Refusal, ...]

    @property
    def is_enough(self) -> bool:
        return any(plan.is_enough for plan in self.plans)

    @property
    def carried_requests_per_s(self) -> float:
        """By the engine that carries most."""
        return max((plan.carried_requests_per_s for plan in self.plans), default=0.0)


def place_on_fleet(subject: Subject, sites: Sequence[Site], engines: Sequence[EngineName] = ENGINES) -> FleetPlans:
    """Place replicas on the machines of a fleet, the fastest machines first, until the peak is carried although the
    fastest replica is lost.

    Requests are taken to go to replicas in proportion to what these carry, as routers by length of queue send them.
    """
    refusals: list[Refusal] = []
    plans: list[FleetPlan] = []
    for engine in engines:
        everywhere = unsupported(subject, engine)
        if everywhere is not None:
            refusals.append(everywhere)
            continue
        held: list[Share] = []
        for site in sites:
            found = _best(subject, site, engine)
            if isinstance(found, Refusal):
                refusals.append(found)
            else:
                held.append(found)
        if held:
            plans.append(_placed(subject, engine, held))
    plans.sort(key=lambda plan: (not plan.is_enough, plan.replicas, plan.engine))
    return FleetPlans(subject, len(sites), tuple(plans), tuple(refusals))


def _best(subject: Subject, site: Site, engine: EngineName) -> Share | Refusal:
    """The way to run on one machine that carries most, or why there is none."""
    refusal: Refusal | None = None
    best: Share | None = None
    for fits, option in _options(subject, site, engine):
        if isinstance(option, Refusal):
            refusal = refusal or option
            continue
        found = capacity(option, subject.traffic, subject.targets)
        share = Share(site.name, option, found, fits, 0, None)
        if best is None or fits * found.requests_per_s > best.fits * best.capacity.requests_per_s:
            best = share
    if best is None:
        return refusal or Refusal(engine, site.name, "memory", "the model does not fit")
    settled = replace(best, capacity=confirmed(best.replica, subject.traffic, subject.targets, best.capacity))
    if not _is_of_use(settled, subject):
        text = "the targets hold there for no load: a request alone misses them, or nearly all of its time is taken"
        return Refusal(engine, site.name, "no_load", text, best.capacity.floor_ttft_s)
    return settled


def _options(subject: Subject, site: Site, engine: EngineName) -> Iterator[tuple[int, Option]]:
    """Ways to run, each with the replicas of it that the machine holds."""
    if engine == "llama.cpp" and site.no_memory is not None:
        yield 0, Refusal("llama.cpp", site.name, "memory", site.no_memory)
        return
    if engine == "llama.cpp":
        yield from llama_on_machine(subject, site.name, site.pools, site.threads)
        return
    if site.node is None:
        yield 0, Refusal("vllm", site.name, "no_gpu", "it has no GPUs of one kind that vLLM plans know (CUDA or ROCm)")
        return
    for option in vllm_on_node(subject, site.node):
        if isinstance(option, Replica) and option.pipeline_parallel > 1:
            yield 0, Refusal("vllm", site.name, "memory", "a replica would need more than one machine")
        elif isinstance(option, Replica):
            yield site.node.count // option.gpus, option
        else:
            yield 0, option


def _is_of_use(share: Share, subject: Subject) -> bool:
    return share.capacity.requests_per_s > 0 or _serves_alone(share, subject)


def _serves_alone(share: Share, subject: Subject) -> bool:
    """Whether the targets hold for a user who has a replica to himself, who never meets another one's request."""
    traffic = subject.traffic
    if traffic.users is None:
        return False
    is_fast = traffic.requests_per_s / traffic.users <= alone_requests_per_s(share.replica, traffic)
    return is_fast and subject.targets.reachable(share.capacity)


def _placed(subject: Subject, engine: EngineName, held: list[Share]) -> FleetPlan:
    held.sort(key=lambda share: (-share.capacity.requests_per_s, share.site))
    placed = [0] * len(held)
    for i, share in enumerate(held):
        while placed[i] < share.fits and not _carries(subject, held, placed):
            placed[i] += 1
    kept = _without_fastest(held, placed)
    carried = _rate(held, kept)
    shares = tuple(
        replace(share, placed=n, metrics=_seen(subject, share, carried, sum(kept)) if n else None)
        for share, n in zip(held, placed, strict=True)
    )
    return FleetPlan(engine, shares, _carries(subject, held, placed), carried)


def _without_fastest(held: Sequence[Share], placed: Sequence[int]) -> list[int]:
    """Machines are in the order of their speed, so the first replica is the fastest."""
    kept = list(placed)
    first = next((i for i, n in enumerate(placed) if n), None)
    if first is not None:
        kept[first] -= 1
    return kept


def _rate(held: Sequence[Share], placed: Sequence[int]) -> float:
    return sum(n * share.capacity.requests_per_s for share, n in zip(held, placed, strict=True))


def _carries(subject: Subject, held: Sequence[Share], placed: Sequence[int]) -> bool:
    """Whether the placed replicas carry the peak within the targets with the fastest of them lost."""
    traffic = subject.traffic
    kept = _without_fastest(held, placed)
    if not sum(kept):
        return False
    slots = sum(n * share.replica.limits.slots_for(traffic.largest_tokens) for share, n in zip(held, kept, strict=True))
    if traffic.concurrent is not None and slots < traffic.concurrent:
        return False
    if _rate(held, kept) >= traffic.requests_per_s * (1 - 1e-9):
        return True
    used = [share for share, n in zip(held, kept, strict=True) if n]
    enough_for_each = traffic.users is not None and sum(kept) >= traffic.users
    return enough_for_each and all(_serves_alone(share, subject) for share in used)


def _seen(subject: Subject, share: Share, carried: float, replicas: int) -> Metrics:
    """A replica's metrics at its part of the peak."""
    traffic, targets = subject.traffic, subject.targets
    if traffic.users is not None and replicas >= traffic.users:
        return run_alone(share.replica, traffic, targets)
    rate = share.capacity.requests_per_s
    part = rate if carried <= 0 else min(1.0, traffic.requests_per_s / carried) * rate
    return run_at(share.replica, traffic, max(part, 1e-9), targets, REPORTED_REQUESTS)
