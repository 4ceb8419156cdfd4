"""Continuous batching on one replica, as a discrete-event simulation.

Requests queue in the order of their arrival. One is admitted when a slot and room in the KV cache are free; its
prompt is computed in chunks, in steps that decode the other sequences too (vLLM's chunked prefill; llama.cpp's server
fills each batch the same way). Between two events the set of sequences stays the same, so the loop jumps from event
to event: the time of m equal steps is a sum that needs no steps.

A request reserves cache for its whole prompt and answer. vLLM admits on less and preempts when it runs out, so what
is found here is slightly below what vLLM reaches where the cache is the limit.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from advisor.domain.capacity.step import StepCosts


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a load."""

    arrival_s: float
    prompt_tokens: int
    answer_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.answer_tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """What one replica admits at a time."""

    slots: int
    """Sequences in flight."""
    cache_tokens: int | None
    """Tokens that the KV cache holds; None where each slot has its own cells, so that slots are the only limit."""
    chunk_tokens: int
    """Tokens of one step, decoded and of prompts together."""

    def slots_for(self, tokens: float) -> int:
        """Sequences of that many tokens each that can be in flight; 0 where not even one fits."""
        if self.cache_tokens is None:
            return self.slots
        return min(self.slots, int(self.cache_tokens // max(1.0, tokens)))


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one request; seconds from its arrival."""

    wait_s: float
    """Until a slot was free."""
    ttft_s: float
    end_s: float
    answer_tokens: int

    @property
    def tpot_s(self) -> float:
        """Seconds per token after the first; 0 for an answer of one token."""
        return (self.end_s - self.ttft_s) / max(1, self.answer_tokens - 1)


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of a simulation."""

    served: tuple[Served, ...]
    """In the order of the requests."""
    busy_s: float
    """Time in which the replica computed."""
    end_s: float
    """When the last request was done, from the first arrival on."""
    most_in_flight: int
    full_s: float
    """Time in which a request waited because slots or cache were taken."""
    decoded_tokens: int
    prompt_tokens: int


def simulate(costs: StepCosts, limits: Limits, requests: Sequence[Request]) -> Run:
    """Serve the requests, which must be in the order of their arrival.

    Raises ValueError for a request that the replica can never hold.
    """
    return _Replica(costs, limits, requests).run()


class _Replica:
    """The state between two events."""

    def __init__(self, costs: StepCosts, limits: Limits, requests: Sequence[Request]) -> None:
        room = limits.cache_tokens
        largest = max((r.tokens for r in requests), default=0)
        if limits.slots < 1 or (room is not None and largest > room):
            raise ValueError(f"a request of {largest} tokens does not fit into a cache of {room}")
        self.costs, self.limits, self.requests = costs, limits, requests
        self.room = math.inf if room is None else room
        self.kv_s = costs.kv_token_s
        self.now = requests[0].arrival_s if requests else 0.0
        self.step = 0
        self.next = 0
        self.reserved = 0
        self.cached = 0
        self.n_decoding = 0
        self.prompts: deque[list[int]] = deque()
        self.ends: list[tuple[int, int]] = []
        self.base: dict[int, float] = {}
        self.admitted_s = [0.0] * len(requests)
        self.first_s = [0.0] * len(requests)
        self.end_s = [0.0] * len(requests)
        self.busy_s = self.full_s = 0.0
        self.most = self.decoded = self.prompted = 0

    def run(self) -> Run:
        n = len(self.requests)
        begin = self.now
        while self.next < n or self.prompts or self.ends:
            self._admit()
            if self.prompts:
                self._step_with_prompts()
            elif self.ends:
                self._decode_until_event()
            else:
                self.now = self.requests[self.next].arrival_s
        served = []
        for i, request in enumerate(self.requests):
            at = request.arrival_s
            wait, first, end = self.admitted_s[i] - at, self.first_s[i] - at, self.end_s[i] - at
            served.append(Served(wait, first, end, request.answer_tokens))
        return Run(tuple(served), self.busy_s, self.now - begin, self.most, self.full_s, self.decoded, self.prompted)

    def _has_room(self) -> bool:
        in_flight = self.n_decoding + len(self.prompts)
        return in_flight < self.limits.slots and self.reserved + self.requests[self.next].tokens <= self.room

    def _admit(self) -> None:
        requests = self.requests
        while self.next < len(requests) and requests[self.next].arrival_s <= self.now and self._has_room():
            request = requests[self.next]
            self.admitted_s[self.next] = self.now
            self.reserved += request.tokens
            self.prompts.append([self.next, request.prompt_tokens])
            self.next += 1
        self.most = max(self.most, self.n_decoding + len(self.prompts))

    def _pass(self, seconds: float) -> None:
        waiting = self.next < len(self.requests) and self.requests[self.next].arrival_s <= self.now
        if waiting:
            self.full_s += seconds
        self.busy_s += seconds
        self.now += seconds

    def _step_with_prompts(self) -> None:
        budget = max(1, self.limits.chunk_tokens - self.n_decoding)
        taken, looked_back, cached = 0, 0.0, self.cached
        finished: list[int] = []
        for prompt in self.prompts:
            i, left = prompt
            chunk = min(left, budget - taken)
            done = self.requests[i].prompt_tokens - left
            looked_back += chunk * (done + chunk / 2)
            cached += done
            taken += chunk
            prompt[1] -= chunk
            if not prompt[1]:
                finished.append(i)
            if taken >= budget:
                break
        self._pass(self.costs.mixed_s(self.n_decoding, taken, looked_back) + self.kv_s * cached)
        self.prompted += taken
        self._decoded(1)
        for i in finished:
            self.prompts.popleft()
            self._begin_answer(i)

    def _begin_answer(self, i: int) -> None:
        """The last chunk of a prompt yields the first token of its answer."""
        request = self.requests[i]
        self.first_s[i] = self.now
        self.decoded += 1
        if request.answer_tokens <= 1:
            self._finish(i)
            return
        self.n_decoding += 1
        self.cached += request.prompt_tokens + 1
        heappush(self.ends, (self.step + request.answer_tokens - 1, i))

    def _finish(self, i: int) -> None:
        self.end_s[i] = self.now
        self.reserved -= self.requests[i].tokens

    def _decoded(self, steps: int) -> None:
        """Every decoding sequence got so many tokens; those that are done leave."""
        self.step += steps
        self.cached += steps * self.n_decoding
        self.decoded += steps * self.n_decoding
        while self.ends and self.ends[0][0] <= self.step:
            _, i = heappop(self.ends)
            self.n_decoding -= 1
            self.cached -= self.requests[i].tokens
            self._finish(i)

    def _decode_until_event(self) -> None:
        """Steps until an answer ends or a request arrives that can be admitted."""
        n, steps = self.n_decoding, self.ends[0][0] - self.step
        base = self.base.get(n)
        if base is None:
            base = self.base[n] = self.costs.decode_s(n)
        first, growth = base + self.kv_s * self.cached, self.kv_s * n
        if self.next < len(self.requests) and self._has_room():
            until = self.requests[self.next].arrival_s - self.now
            steps = min(steps, _steps_in(until, first, growth))
        self._pass(steps * first + growth * steps * (steps - 1) / 2)
        self._decoded(steps)


def _steps_in(seconds: float, first: float, growth: float) -> int:
    """The least number of steps that take so long, where the first takes `first` and each one `growth` more."""
    if growth <= first * 1e-12:
        return max(1, math.ceil(seconds / first))
    half = first - growth / 2
    found = (math.sqrt(half * half + 2 * growth * max(0.0, seconds)) - half) / growth
    return max(1, math.ceil(found - 1e-9))
