"""Which requirement would have to change, and by how much, for the pick to change.

Speeds of what passed already tell where a limit on speed bites; every other flip is searched by halving. Each stated
change was tried: the whole pipeline ran with it and another model, or none, came first. Between the points tried a
ranking could change and change back; that is not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from advisor.domain.candidate import Candidate
from advisor.domain.carried_load_words import carried_text
from advisor.domain.constraints import Constraints
from advisor.domain.recommend import Recommendation
from advisor.domain.sensitivity import ConstraintChange, Value
from advisor.units import MIB

Again = Callable[[Constraints], Recommendation]
"""The pipeline on the same machine with other constraints."""

MOST_TRIALS = 12
"""Runs of the pipeline for one direction of one requirement."""
CONTEXT_STEP = 256
"""llama.cpp pads a context to a multiple of this (`GGML_PAD` in src/llama-context.cpp)."""
MEMORY_STEP_BYTES = 64 * MIB
MOST_CONTEXT_TOKENS = 10_485_760
"""The longest context that can be asked for (knowledge/questions.toml)."""
USER_STEPS = 8
"""A flip by the number of users is found to an eighth of those who are asked for: a load takes long to weigh."""
MOST_TIMES_THE_USERS = 16
_FEWEST_WHO_SHARE = 2
GOOD_PART = 0.1
"""Share of a candidate's memory below which a device is not looked at: buffers alone hardly ever decide."""


@dataclass(frozen=True, slots=True)
class _Knob:
    """A requirement with a value that can be turned."""

    key: str
    current: Value
    turned: Callable[[Constraints, Value], Constraints]


def with_constraint_changes(found: Recommendation, again: Again) -> Recommendation:
    """The recommendation with every change of one requirement that changes the pick: of speed, wait, context,
    memory kept free and users who share it. It stays as it is where it has no first place to examine.

    Takes some dozens of runs of the pipeline.
    """
    if found.pick is None or found.sensitivity is None:
        return found
    changes = tuple(_changes(found, found.pick, again))
    return replace(found, sensitivity=replace(found.sensitivity, constraints=changes))


def _changes(found: Recommendation, pick: Candidate, again: Again) -> Iterator[ConstraintChange]:
    for change in (
        _faster(found, pick, again, _TOKENS_PER_S),
        _slower(found, pick, again, _TOKENS_PER_S),
        _faster(found, pick, again, _TTFT),
        _slower(found, pick, again, _TTFT),
        _longer_context(found, pick, again),
        _shorter_context(found, pick, again),
        *_memory(found, pick, again),
        *user_changes(found, pick, again),
    ):
        if change is not None:
            yield change


# ---------------------------------------------------------------- speed


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit on speed, as a figure of which more is faster."""

    key: str
    figure: Callable[[Candidate], float]
    """-inf where the speed is unknown."""
    asked: Callable[[Constraints], Value]
    threshold: Callable[[float], float]
    """The figure that just meets a value."""
    asking: Callable[[Constraints, Value], Constraints]
    beyond: Callable[[float], Value]
    """A value of few digits that a candidate of this figure just misses."""
    just: Callable[[float], Value]
    """A value of few digits that it just meets."""


def _rate(candidate: Candidate) -> float:
    return candidate.speed.decode_tokens_per_s if candidate.speed else -math.inf


def _haste(candidate: Candidate) -> float:
    return -candidate.speed.ttft_ms if candidate.speed else -math.inf


_TOKENS_PER_S = _Limit(
    key="latency.tokens_per_s",
    figure=_rate,
    asked=lambda c: c.latency.tokens_per_s,
    threshold=lambda value: value,
    asking=lambda c, value: replace(c, latency=replace(c.latency, tokens_per_s=value)),
    beyond=lambda rate: (math.floor(rate * 100) + 1) / 100,
    just=lambda rate: math.floor(rate * 100) / 100,
)
_TTFT = _Limit(
    key="latency.ttft_ms",
    figure=_haste,
    asked=lambda c: c.latency.ttft_ms,
    threshold=lambda value: -value,
    asking=lambda c, value: replace(c, latency=replace(c.latency, ttft_ms=None if value is None else int(value))),
    beyond=lambda haste: max(1, math.ceil(-haste) - 1),
    just=lambda haste: math.ceil(-haste),
)


def _faster(found: Recommendation, pick: Candidate, again: Again, limit: _Limit) -> ConstraintChange | None:
    """The limit that the pick's model meets in no quantization that leads."""
    held = pick
    for candidate in found.quantizations:
        if limit.figure(candidate) <= limit.figure(held):
            continue
        if candidate.model.id != pick.model.id:
            break
        held = candidate
    if math.isinf(limit.figure(held)):
        return None
    tried = limit.beyond(limit.figure(held))
    return _confirmed(found, pick, again, limit, tried, limit.just(limit.figure(held)))


def _slower(found: Recommendation, pick: Candidate, again: Again, limit: _Limit) -> ConstraintChange | None:
    """The looser limit that lets in a model which ranks before the pick."""
    asked = limit.asked(found.constraints)
    if asked is None:
        return None
    free = again(limit.asking(found.constraints, None))
    ranks = {c.id: rank for rank, c in enumerate(free.quantizations)}
    first = pick
    slower = [c for c in free.quantizations if limit.figure(c) < limit.threshold(asked)]
    for candidate in sorted(slower, key=limit.figure, reverse=True):
        if ranks[candidate.id] < ranks.get(first.id, len(ranks)):
            if candidate.model.id != pick.model.id:
                # A candidate of unknown speed passes only where nothing is asked.
                unknown = math.isinf(limit.figure(candidate))
                tried = None if unknown else limit.just(limit.figure(candidate))
                return _confirmed(found, pick, again, limit, tried, asked)
            first = candidate
    return None


def _confirmed(
    found: Recommendation, pick: Candidate, again: Again, limit: _Limit, tried: Value, holds: Value
) -> ConstraintChange | None:
    """The change, if the pipeline says so too; what is asked of speed also changes how many requests overlap."""
    then = again(limit.asking(found.constraints, tried))
    before = again(limit.asking(found.constraints, holds))
    if _leads(then, pick) or not _leads(before, pick):
        return None
    return _change(limit.key, limit.asked(found.constraints), tried, holds, before, then, pick)


# ---------------------------------------------------------------- context and memory


def _longer_context(found: Recommendation, pick: Candidate, again: Again) -> ConstraintChange | None:
    """Doubled until the pick changes, then halved."""
    knob = _Knob("task.context_tokens", found.constraints.task.context_tokens, _with_context)
    holds, breaks = found.constraints.task.context_tokens, None
    trials = _Trials(found, pick, again, knob)
    while breaks is None and holds < MOST_CONTEXT_TOKENS:
        longer = min(2 * holds, MOST_CONTEXT_TOKENS)
        if trials.holds(longer):
            holds = longer
        else:
            breaks = longer
    return None if breaks is None else trials.halved(holds, breaks, CONTEXT_STEP)


def _shorter_context(found: Recommendation, pick: Candidate, again: Again) -> ConstraintChange | None:
    """Down to what a prompt and an answer take."""
    scale, current = found.constraints.scale, found.constraints.task.context_tokens
    shortest = scale.prompt_tokens + scale.answer_tokens
    trials = _Trials(found, pick, again, _Knob("task.context_tokens", current, _with_context))
    if shortest >= current or trials.holds(shortest):
        return None
    return trials.halved(current, shortest, CONTEXT_STEP)


def _memory(found: Recommendation, pick: Candidate, again: Again) -> Iterator[ConstraintChange | None]:
    """More kept free, and less, of each kind of memory that holds a good part of the pick."""
    limits = found.constraints.machine
    least = GOOD_PART * pick.fit.footprint.total_bytes
    used = [p for d, p in zip(pick.fit.footprint.devices, pick.fit.pools, strict=True) if d.total_bytes >= least]
    knobs = []
    if any(p.kind == "ram" or p.shares_ram for p in used):
        knobs.append(_Knob("machine.reserve_ram", limits.reserve_ram_bytes, _with_reserved_ram))
    if any(p.kind == "gpu" for p in used):
        knobs.append(_Knob("machine.reserve_vram", limits.reserve_vram_bytes, _with_reserved_vram))
    for knob in knobs:
        kind = "gpu" if knob.key == "machine.reserve_vram" else "ram"
        most = max(p.budget_bytes for p in pick.fit.pools if p.kind == kind) + int(knob.current or 0)
        trials = _Trials(found, pick, again, knob)
        for end in (most, 0):
            if end != knob.current and not trials.holds(end):
                yield trials.halved(int(knob.current or 0), end, MEMORY_STEP_BYTES)


def user_changes(found: Recommendation, pick: Candidate, again: Again) -> Iterator[ConstraintChange | None]:
    """More users until the pick changes, and fewer: of a load that they share."""
    scale = found.constraints.scale
    if not found.load.is_shared or scale.concurrent_requests is not None:
        return
    trials = _Trials(found, pick, again, _Knob("scale.users", scale.users, _with_users))
    step = max(1, scale.users // USER_STEPS)
    holds, most = scale.users, scale.users * MOST_TIMES_THE_USERS
    while holds < most:
        more = min(2 * holds, most)
        if not trials.holds(more):
            yield trials.halved(holds, more, step)
            break
        holds = more
    if scale.users > _FEWEST_WHO_SHARE and not trials.holds(_FEWEST_WHO_SHARE):
        yield trials.halved(scale.users, _FEWEST_WHO_SHARE, step)


def _with_users(constraints: Constraints, users: Value) -> Constraints:
    return replace(constraints, scale=replace(constraints.scale, users=int(users or 1)))


def _with_context(constraints: Constraints, tokens: Value) -> Constraints:
    return replace(constraints, task=replace(constraints.task, context_tokens=int(tokens or 0)))


def _with_reserved_ram(constraints: Constraints, n_bytes: Value) -> Constraints:
    return replace(constraints, machine=replace(constraints.machine, reserve_ram_bytes=int(n_bytes or 0)))


def _with_reserved_vram(constraints: Constraints, n_bytes: Value) -> Constraints:
    return replace(constraints, machine=replace(constraints.machine, reserve_vram_bytes=int(n_bytes or 0)))


class _Trials:
    """Runs of the pipeline with one requirement turned; none runs twice."""

    def __init__(self, found: Recommendation, pick: Candidate, again: Again, knob: _Knob) -> None:
        self._found, self._pick, self._again, self._knob = found, pick, again, knob
        self._seen: dict[Value, Recommendation] = {knob.current: found}

    def __call__(self, value: Value) -> Recommendation:
        if value not in self._seen:
            self._seen[value] = self._again(self._knob.turned(self._found.constraints, value))
        return self._seen[value]

    def holds(self, value: Value) -> bool:
        return _leads(self(value), self._pick)

    def halved(self, holds: int, breaks: int, step: int) -> ConstraintChange:
        """The flip between a value that holds and one that does not, to within a step or MOST_TRIALS runs."""
        for _ in range(MOST_TRIALS):
            if abs(breaks - holds) <= step:
                break
            middle = multiple_between(holds, breaks, step)
            holds, breaks = (middle, breaks) if self.holds(middle) else (holds, middle)
        knob = self._knob
        return _change(knob.key, knob.current, breaks, holds, self(holds), self(breaks), self._pick)


def multiple_between(one: int, other: int, step: int) -> int:
    """The multiple of `step` that is nearest to the middle of two numbers further apart than that."""
    return ((one + other) // 2 + step // 2) // step * step


# ---------------------------------------------------------------- what is said


def _leads(found: Recommendation, pick: Candidate) -> bool:
    return found.pick is not None and found.pick.model.id == pick.model.id


def _change(
    key: str,
    current: Value,
    changed: Value,
    holds: Value,
    before: Recommendation,
    then: Recommendation,
    pick: Candidate,
) -> ConstraintChange:
    quantization = before.pick.quantization.name if before.pick else pick.quantization.name
    rival = then.pick.id if then.pick else None
    return ConstraintChange(key, current, changed, holds, quantization, rival, _fate(then, pick))


def _fate(then: Recommendation, pick: Candidate) -> str:
    """What becomes of the pick's model, to follow `X leads and`."""
    rank = next((i for i, c in enumerate(then.ranked, start=1) if c.model.id == pick.model.id), None)
    if rank is not None:
        still = then.ranked[rank - 1]
        short = f", but {carried_text(still)}" if still.falls_short else ""
        return f"this pick still passes, at rank {rank}{short}"
    reasons = [reason.text for r in then.rejected if r.model.id == pick.model.id for reason in r.reasons]
    return f"this pick fails: {'; '.join(reasons)}" if reasons else "this pick is no longer considered"
