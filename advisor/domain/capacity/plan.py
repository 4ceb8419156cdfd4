"""The cheapest way to serve the users, per engine, over the machine at hand and a list of nodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from advisor.domain.capacity.bounds import requests_bound, wait_estimate
from advisor.domain.capacity.load import Traffic
from advisor.domain.capacity.nodes import Node
from advisor.domain.capacity.options import (
    Option,
    Subject,
    Survive,
    alone_requests_per_s,
    llama_on_node,
    llama_on_pools,
    unsupported,
    vllm_on_node,
)
from advisor.domain.capacity.replica import ENGINES, EngineName, Refusal, Replica
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts
from advisor.domain.capacity.targets import (
    REPORTED_REQUESTS,
    Capacity,
    Metrics,
    capacity,
    confirmed,
    holds,
    run_alone,
    run_at,
)
from advisor.domain.placement import Pool
from advisor.units import counted, format_milliseconds

GROWTH = (1, 2, 5, 10)
"""Times the users for which a plan says what it would take."""
HERE = "this machine"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of something a load takes."""

    factor: int
    replicas: int
    """With the spare ones."""
    machines: int
    gpus: int
    cost_usd_hour: float | None
    """None where the price of the machine is unknown."""


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """A replica, how many of it, and on how many machines."""

    replica: Replica
    node: Node | None
    """None for the machine at hand."""
    capacity: Capacity
    needed: int
    """Replicas that carry the peak within the targets."""
    per_machine: int
    """Replicas that one machine holds; 0 where a replica takes more than one."""
    gpus_per_machine: int
    metrics: Metrics
    """Of one of the needed replicas at the peak: what users see while the spare ones are lost."""
    wait_bound_s: float | None
    growth: tuple[Size, ...]
    one_machine_requests_per_s: float
    """Peak rate at which the targets break on one machine; on the fewest that hold a replica where one is too few."""

    @property
    def size(self) -> Size:
        """What today's load takes."""
        return self.growth[0]

    @property
    def spare(self) -> int:
        """Replicas beyond those that carry the peak."""
        return self.size.replicas - self.needed

    @property
    def lost_with_a_machine(self) -> int:
        """Replicas that stop when one machine does."""
        return max(1, math.ceil(self.size.replicas / self.size.machines)) if self.per_machine else 1

    @property
    def order(self) -> tuple[float, ...]:
        """Cheapest first: a machine that is there and enough, then known prices, then the number of GPUs, and of two
        plans with as many the smaller GPUs."""
        here = self.node is None
        if here and self.needed <= max(1, self.per_machine):
            return (0.0,)
        if self.size.cost_usd_hour is not None:
            return (1.0, self.size.cost_usd_hour)
        speed = self.node.gpu.bandwidth_bytes_per_s if self.node else 0.0
        return (2.0, float(self.size.gpus or self.size.machines), float(self.size.machines), speed)


@dataclass(frozen=True, slots=True)
class Plans:
    """Everything that was found for one load."""

    subject: Subject
    plans: tuple[ServingPlan, ...]
    """The best of each engine on each kind of machine, cheapest first."""
    refusals: tuple[Refusal, ...]

    def cheapest(self, engine: EngineName) -> ServingPlan | None:
        return next((p for p in self.plans if p.replica.engine == engine), None)


def make_plans(
    subject: Subject,
    pools: tuple[Pool, ...],
    threads: int,
    here: Node | None,
    nodes: Sequence[Node],
    engines: Sequence[EngineName] = ENGINES,
) -> Plans:
    """Plan every engine on the machine at hand and on every node.

    `here` is the machine at hand as a node, where it has GPUs that vLLM can use.
    """
    planner = _Planner(subject, len(pools) - 1)
    plans: list[ServingPlan] = []
    for engine in engines:
        refusal = unsupported(subject, engine)
        if refusal is not None:
            planner.refusals.append(refusal)
            continue
        for node, options in _places(subject, engine, pools, threads, here, nodes):
            found = planner.best(node, options)
            if found is not None:
                plans.append(found)
    plans.sort(key=lambda p: (p.order, p.replica.engine, p.replica.place))
    return Plans(subject, tuple(plans), tuple(planner.refusals))


def _places(
    subject: Subject,
    engine: EngineName,
    pools: tuple[Pool, ...],
    threads: int,
    here: Node | None,
    nodes: Sequence[Node],
) -> Iterable[tuple[Node | None, list[Option]]]:
    if engine == "llama.cpp":
        yield None, list(llama_on_pools(subject, HERE, pools, threads))
    elif here is not None:
        yield None, list(vllm_on_node(subject, here))
    else:
        yield None, [Refusal("vllm", HERE, "no_gpu", "it has no GPU that vLLM plans know (CUDA or ROCm)")]
    for node in nodes:
        plan = llama_on_node if engine == "llama.cpp" else vllm_on_node
        yield node, list(plan(subject, node))


_Kind = tuple[StepCosts, Limits]
"""What alone decides how a replica fares under a load."""


class _Planner:
    """Searches replicas for one load, each kind of replica once: nodes with the same GPU share the outcome."""

    def __init__(self, subject: Subject, gpus_here: int) -> None:
        self.subject = subject
        self.gpus_here = gpus_here
        self.refusals: list[Refusal] = []
        self._known: dict[_Kind, Capacity] = {}
        self._confirmed: dict[_Kind, Capacity] = {}
        self._counted: dict[_Kind, tuple[int, Metrics]] = {}

    def best(self, node: Node | None, options: Sequence[Option]) -> ServingPlan | None:
        """The cheapest option of one engine on one kind of machine, simulating only what can still win."""
        self.refusals += [option for option in options if isinstance(option, Refusal)]
        replicas = sorted([option for option in options if isinstance(option, Replica)], key=self._least)
        left = replicas
        while (chosen := self._cheapest(left)) is not None:
            if self._is_of_use(chosen, self._long_run(chosen)):
                return self._plan(chosen, node)
            left = [replica for replica in left if replica is not chosen]
        if replicas:
            fastest = min(replicas, key=lambda r: self._capacity(r).floor_ttft_s)
            self.refusals.append(_missed(fastest, self._capacity(fastest), self.subject))
        return None

    def _cheapest(self, replicas: Sequence[Replica]) -> Replica | None:
        """Of replicas in the order of the least that they can cost; None where each misses the targets."""
        best: tuple[tuple[int, int], Replica] | None = None
        for replica in replicas:
            if best is not None and self._least(replica) >= best[0]:
                continue
            found = self._capacity(replica)
            if not self._is_of_use(replica, found):
                continue
            rank = self._rank(replica, found.requests_per_s)
            if best is None or rank < best[0]:
                best = (rank, replica)
        return None if best is None else best[1]

    def _is_of_use(self, replica: Replica, found: Capacity) -> bool:
        return found.requests_per_s > 0 or self._serves_one(replica, found)

    def _least(self, replica: Replica) -> tuple[int, int]:
        """Fewest GPUs and replicas by the bound that no schedule exceeds."""
        return self._rank(replica, requests_bound(replica, self.subject.traffic))

    def _rank(self, replica: Replica, requests_per_s: float) -> tuple[int, int]:
        needed = _needed(replica, self.subject.traffic, requests_per_s)
        return (needed + 1) * max(1, replica.gpus), needed

    def _serves_one(self, replica: Replica, found: Capacity) -> bool:
        """Whether the targets hold for the only user, who never meets another one's request."""
        traffic = self.subject.traffic
        is_enough = traffic.requests_per_s <= alone_requests_per_s(replica, traffic)
        return traffic.users == 1 and is_enough and self.subject.targets.reachable(found)

    def _capacity(self, replica: Replica) -> Capacity:
        key = (replica.costs, replica.limits)
        if key not in self._known:
            self._known[key] = capacity(replica, self.subject.traffic, self.subject.targets)
        return self._known[key]

    def _long_run(self, replica: Replica) -> Capacity:
        """The capacity that a run of full length confirms."""
        kind = (replica.costs, replica.limits)
        if kind not in self._confirmed:
            subject = self.subject
            self._confirmed[kind] = confirmed(replica, subject.traffic, subject.targets, self._capacity(replica))
        return self._confirmed[kind]

    def _settled(self, replica: Replica) -> tuple[int, Metrics]:
        """The replicas that the load takes, and what users see on one of them."""
        kind = (replica.costs, replica.limits)
        if kind not in self._counted:
            traffic, targets = self.subject.traffic, self.subject.targets
            needed = _needed(replica, traffic, self._long_run(replica).requests_per_s)
            metrics = self._seen(replica, needed)
            while not holds(metrics, targets) and needed < (traffic.users or math.inf):
                # Chance can make a lower rate worse than the one that was confirmed.
                needed += 1
                metrics = self._seen(replica, needed)
            self._counted[kind] = (needed, metrics)
        return self._counted[kind]

    def _seen(self, replica: Replica, needed: int) -> Metrics:
        traffic, targets = self.subject.traffic, self.subject.targets
        if traffic.users is not None and needed >= traffic.users:
            return run_alone(replica, traffic, targets)
        return run_at(replica, traffic, traffic.requests_per_s / needed, targets, REPORTED_REQUESTS)

    def _plan(self, replica: Replica, node: Node | None) -> ServingPlan:
        traffic, targets = self.subject.traffic, self.subject.targets
        found, (needed, metrics) = self._long_run(replica), self._settled(replica)
        gpus = self.gpus_here if node is None else node.count
        per_machine = 0 if replica.pipeline_parallel > 1 else max(1, gpus // max(1, replica.gpus))
        if not replica.gpus:
            per_machine = 1
        rate = traffic.requests_per_s / needed
        growth = []
        for factor in GROWTH:
            count = needed if factor == 1 else _needed(replica, traffic.scaled(factor), found.requests_per_s)
            growth.append(_size(replica, node, gpus, per_machine, count, factor, self.subject.survive))
        return ServingPlan(
            replica=replica,
            node=node,
            capacity=found,
            needed=needed,
            per_machine=per_machine,
            gpus_per_machine=gpus if node is not None or replica.gpus else 0,
            metrics=metrics,
            wait_bound_s=wait_estimate(replica, traffic, rate, targets.share),
            growth=tuple(growth),
            one_machine_requests_per_s=found.requests_per_s * max(1, per_machine),
        )


def _needed(replica: Replica, traffic: Traffic, requests_per_s: float) -> int:
    """Replicas for a load; never more than users, since nobody sends two requests at once, unless one user's requests
    alone are too many."""
    by_rate = math.inf
    if requests_per_s > 0:
        by_rate = math.ceil(traffic.requests_per_s / requests_per_s - 1e-9)
    by_slots = 0
    if traffic.concurrent is not None:
        by_slots = math.ceil(traffic.concurrent / max(1, replica.limits.slots_for(traffic.largest_tokens)))
    most = math.inf
    if traffic.users is not None and traffic.requests_per_s / traffic.users <= alone_requests_per_s(replica, traffic):
        most = traffic.users
    return max(1, by_slots, int(min(by_rate, most)))


def _size(
    replica: Replica, node: Node | None, gpus: int, per_machine: int, needed: int, factor: int, survive: Survive
) -> Size:
    replicas, machines = with_spare(needed, per_machine, replica.pipeline_parallel, survive)
    price = node.price.usd_hour if node is not None and node.price is not None else None
    count = gpus if node is not None or replica.gpus else 0
    return Size(factor, replicas, machines, machines * count, None if price is None else price * machines)


def with_spare(needed: int, per_machine: int, stages: int, survive: Survive) -> tuple[int, int]:
    """Replicas and machines, so that enough replicas are left when one replica or one whole machine is lost.

    Replicas are spread evenly. Where several machines share a replica, a lost machine is a lost replica.
    """
    if not per_machine:
        return needed + 1, (needed + 1) * stages
    if survive == "replica":
        return needed + 1, math.ceil((needed + 1) / per_machine)
    machines = math.ceil(needed / per_machine) + 1
    replicas = needed + 1
    while replicas - math.ceil(replicas / machines) < needed:
        replicas += 1
    return replicas, machines


def _missed(replica: Replica, found: Capacity, subject: Subject) -> Refusal:
    """The target that a replica misses without any load, with the bound and its value."""
    targets, prompt = subject.targets, round(subject.traffic.prompt_tokens)
    devices = counted(replica.gpus, "GPU") if replica.gpus else "the processor"
    where = f"{replica.quantization} on {devices}"
    read = "the bandwidth of its memory is unknown"
    if replica.read_s:
        read = f"reading the weights once takes {_ms(replica.read_s)} at the published bandwidth"
    if targets.ttft_s is not None and found.floor_ttft_s > targets.ttft_s:
        text = (
            f"no first token within {_ms(targets.ttft_s)}: a prompt of {prompt:,} tokens alone takes "
            f"{_ms(found.floor_ttft_s)} ({where}); {read}"
        )
        return Refusal(replica.engine, replica.place, "ttft_floor", text, found.floor_ttft_s)
    if targets.tpot_s is not None and found.floor_tpot_s > targets.tpot_s:
        text = (
            f"no token every {_ms(targets.tpot_s)}: one request alone gets one every {_ms(found.floor_tpot_s)} "
            f"({where}); {read}"
        )
        return Refusal(replica.engine, replica.place, "tpot_floor", text, found.floor_tpot_s)
    text = f"the targets hold for one request alone, but not for {targets.percentile} % of requests under any load"
    return Refusal(replica.engine, replica.place, "no_load", text)


def _ms(seconds: float) -> str:
    return format_milliseconds(1000 * seconds) if seconds >= 0.01 else f"{1000 * seconds:.2g} ms"
