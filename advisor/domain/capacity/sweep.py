"""Users against latency: what the requests of more and more users see on one machine, until its targets break."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from advisor.domain.capacity.load import Traffic
from advisor.domain.capacity.plan import Plans, ServingPlan
from advisor.domain.capacity.targets import Metrics, Targets, holds, run_alone, run_at
from advisor.units import counted

REQUESTS = 2000
"""Requests behind each point."""
_BELOW = 100
"""Curves begin at so small a part of what a machine carries: a request there has it to itself."""
_STEPS = (1, 2, 5)
_BEYOND = (1.1, 1.25, 1.5, 2.0)
"""Times the load at which the targets break: how the latency goes up from there."""
_MOST_POINTS = 14


@dataclass(frozen=True, slots=True)
class Point:
    """What the asked percentile of requests sees at one load."""

    load: int
    """Users, or requests at once."""
    ttft_s: float
    tpot_s: float
    """Seconds between two tokens; 0 for answers of one token."""
    holds: bool
    """Whether the targets are met."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One candidate on this machine."""

    model_id: str
    name: str
    quantization: str
    points: tuple[Point, ...]
    """By rising load; empty where the model cannot be served here."""
    most: int
    """The largest load within the targets; 0 where none is."""
    plans: Plans
    """The plan behind it, on machines like this one, or why there is none."""

    @property
    def plan(self) -> ServingPlan | None:
        return self.plans.plans[0] if self.plans.plans else None

    @property
    def refusal(self) -> str | None:
        """Why it cannot be served here."""
        return None if self.plans.plans else "; ".join(dict.fromkeys(r.text for r in self.plans.refusals))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Curves of the candidates for one load."""

    traffic: Traffic
    targets: Targets
    curves: tuple[Curve, ...]

    @property
    def unit(self) -> str:
        return "users" if self.traffic.users is not None else "requests at once"

    def counted(self, load: int) -> str:
        """So many of them, in words: `1 user`, `5,000 users`."""
        return counted(load, "user") if self.traffic.users is not None else f"{counted(load, 'request')} at once"

    @property
    def asked(self) -> int:
        """The load that is asked for."""
        return self.traffic.users or self.traffic.concurrent or 1


def curve(found: Plans, before_each: Callable[[], None] | None = None) -> Curve:
    """The curve of the model that was planned on this machine alone. `before_each` is called before each point and may
    raise to stop."""
    plan = found.plans[0] if found.plans else None
    subject = found.subject
    bare = Curve(subject.model.id, subject.model.name, subject.quantization, (), 0, found)
    if plan is None:
        return bare
    asked = subject.traffic.users or subject.traffic.concurrent or 1
    most = max(1, int(asked * plan.one_machine_requests_per_s / subject.traffic.requests_per_s))
    points = []
    for load in _loads(most, asked):
        if before_each is not None:
            before_each()
        point = _point(plan, subject.traffic, subject.targets, load, asked)
        if point is None:
            break
        points.append(point)
    return replace(bare, points=tuple(points), most=most)


def _loads(most: int, asked: int) -> Iterator[int]:
    """1, 2, 5, 10 and so on around what the machine carries, with that load itself."""
    first = max(1, most // _BELOW)
    series = (step * 10**power for power in range(12) for step in _STEPS)
    below = [n for n in series if first <= n < most][-_MOST_POINTS:]
    yield from below
    yield most
    yield from sorted({max(most + 1, round(most * factor)) for factor in _BEYOND})


def _point(plan: ServingPlan, traffic: Traffic, targets: Targets, load: int, asked: int) -> Point | None:
    """None from the load on at which queues grow without end."""
    copies = max(1, plan.per_machine)
    rate = traffic.requests_per_s * load / asked / copies
    if rate >= plan.capacity.bound_requests_per_s and load > copies:
        return None
    metrics = _metrics(plan, traffic, targets, rate, load, copies)
    ttft_s, tpot_s = metrics.ttft.asked, metrics.tpot.asked
    if not (math.isfinite(ttft_s) and math.isfinite(tpot_s)):
        return None
    return Point(load, ttft_s, tpot_s, holds(metrics, targets))


def _metrics(plan: ServingPlan, traffic: Traffic, targets: Targets, rate: float, load: int, copies: int) -> Metrics:
    if traffic.users is not None and load <= copies:
        # Nobody meets another user, and nobody sends two requests at once.
        return run_alone(plan.replica, replace(traffic, users=load), targets)
    return run_at(plan.replica, traffic, rate, targets, REQUESTS)
