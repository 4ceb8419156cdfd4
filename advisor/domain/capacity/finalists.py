"""The candidates that could come first, simulated under the users' load until one of them stays first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from advisor.domain.candidate import Candidate
from advisor.domain.capacity.here import LoadHere
from advisor.domain.capacity.replica import Replica
from advisor.domain.carried_load import CarriedLoad
from advisor.domain.weights import weights

MOST_SIMULATED = 12
"""Candidates that are simulated before the bound is trusted."""

Key = Callable[[Candidate], Any]


def with_first_simulated(passing: list[Candidate], load: LoadHere, key: Key) -> list[Candidate]:
    """The candidates in the order of `key`, the first of them simulated; of the others mostly the bound is known.

    `passing` is in that order. A candidate that does not carry the load in a simulation takes those with it that are
    no faster and have no more slots.
    """
    ordered = passing
    for _ in range(MOST_SIMULATED):
        replica = _replica(ordered[0], load) if ordered else None
        first = ordered[0].carried if ordered else None
        if replica is None or first is None or first.is_simulated:
            break
        if not first.is_enough:
            # Its machines are then more than by the bound, but so they would be for all of those behind it.
            return [_with(ordered[0], load.searched(replica, first)), *ordered[1:]]
        if load.holds(replica, first.copies):
            return [_with(ordered[0], replace(first, is_simulated=True)), *ordered[1:]]
        ordered = sorted((_refuted(c, first) for c in ordered), key=key)
    return ordered


def _refuted(candidate: Candidate, tried: CarriedLoad) -> Candidate:
    own = candidate.carried
    if own is None or own.is_simulated or not own.is_no_better_than(tried):
        return candidate
    return _with(candidate, own.refuted)


def _with(candidate: Candidate, carried: CarriedLoad) -> Candidate:
    return replace(candidate, carried=carried)


def _replica(candidate: Candidate, load: LoadHere) -> Replica | None:
    shape, quantization = candidate.model.shape, candidate.quantization.name
    if shape is None or candidate.carried is None:
        return None
    return load.replica(shape, quantization, weights(shape, quantization), candidate.fit)
