"""How much of the users' load one candidate carries on the machine at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from advisor.domain.capacity.breaks import Breaks

_A_LITTLE = 1e-6


@dataclass(frozen=True, slots=True)
class CarriedLoad:
    """What `advisor.domain.capacity.here` finds for a candidate and a load that several users share."""

    slots: int
    """Requests at once on one copy, so that each still gets the speed that is asked for."""
    copies: int
    """Of the model on this machine: more than one where several like GPUs hold one each."""
    gpus_per_copy: int
    """0 on a processor."""
    asked_per_s: float
    """Requests per second at the peak."""
    at_most_per_s: float
    """Of these, what the bound allows, by which candidates are compared with each other."""
    requests_per_s: float
    """Of these, what this machine carries within the targets; at most so many where `is_simulated` is false."""
    most_per_s: float
    """Requests per second that no schedule on this machine exceeds, however long they wait."""
    users: int | None
    """Who ask for it; None where a number of requests at once was given."""
    concurrent: int | None
    is_simulated: bool
    """Whether a simulation at the asked percentile bears it out, or users so few that it is plain, and not the bound
    alone."""
    breaks_first: Breaks | None
    """What stands in the way, as in plans; None where nothing does."""
    floor_ttft_s: float
    """First token of a request that has a copy to itself."""

    @property
    def share(self) -> float:
        """Of the load, 0..1."""
        return self._share(self.requests_per_s)

    def _share(self, rate: float) -> float:
        shares = [rate / self.asked_per_s if self.asked_per_s else 1.0]
        if self.concurrent is not None:
            shares.append(self.slots * self.copies / self.concurrent)
        return min(1.0, *shares)

    @property
    def is_enough(self) -> bool:
        """Whether this machine carries the whole load, as far as is known."""
        return self.share >= 1.0

    @property
    def refuted(self) -> CarriedLoad:
        """The same where a simulation showed that the whole load is too much."""
        less = min(self.requests_per_s, self.asked_per_s * (1 - _A_LITTLE))
        return replace(self, requests_per_s=less, at_most_per_s=less)

    def is_no_better_than(self, other: CarriedLoad) -> bool:
        """Whether it is no faster, in whole answers and in first tokens, and has no more slots."""
        return (
            self.most_per_s <= other.most_per_s
            and self.slots * self.copies <= other.slots * other.copies
            and self.floor_ttft_s >= other.floor_ttft_s
        )

    @property
    def machines(self) -> int | None:
        """Machines like this one that the load takes, none of them spare; None where none carries any of it."""
        return _machines(self.share)

    @property
    def least_machines(self) -> int | None:
        """The same by the bound alone."""
        return _machines(self._share(self.at_most_per_s))

    @property
    def n_carried(self) -> int:
        """Users, or requests at once, that this machine carries."""
        return int(self.share * (self.users or self.concurrent or 1) + 1e-9)

    @property
    def utilisation(self) -> float | None:
        """Share of what no schedule exceeds that the load takes on as many machines as it needs."""
        if self.machines is None or not self.most_per_s:
            return None
        return self.asked_per_s / (self.machines * self.most_per_s)


def _machines(share: float) -> int | None:
    return math.ceil(1 / share - 1e-9) if share > 0 else None
