"""What the facade asks the pipeline again, with other constraints, to examine a recommendation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Recommendation
from advisor.domain.speed import NO_TIMINGS, Timings


class _Recommends(Protocol):
    def recommend(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        named: Iterable[str] = (),
        quantization: str | None = None,
        timings: Timings = NO_TIMINGS,
    ) -> Recommendation: ...


class SecondLook:
    """The part of the facade that looks at a recommendation from other sides."""

    def with_constraint_changes(self: _Recommends, found: Recommendation) -> Recommendation:
        """The recommendation with the changes of a requirement that would change its pick. Takes some seconds."""
        from advisor.domain.constraint_changes import with_constraint_changes

        def again(constraints: Constraints) -> Recommendation:
            return self.recommend(
                found.machine,
                constraints,
                named=found.named,
                quantization=found.only_quantization,
                timings=found.timings,
            )

        return with_constraint_changes(found, again)
