"""What the facade asks the pipeline again, with other constraints, to examine a recommendation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.model import Model
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.domain.speed import NO_TIMINGS, Timings

if TYPE_CHECKING:
    from advisor.domain.relaxing import Relaxation


class _Recommends(Protocol):
    def model(self, name: str) -> Model: ...

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

    def relax(self: _Recommends, name: str, found: Recommendation, answers: Mapping[str, Answer]) -> Relaxation:
        """The smallest change of the answers behind a recommendation that admits an excluded model.

        Raises InputError for an unknown model, with the nearest id.
        """
        from advisor.domain.relaxing import relax

        def again(constraints: Constraints, named: tuple[str, ...]) -> Recommendation:
            return self.recommend(
                found.machine,
                constraints,
                named=named,
                quantization=found.only_quantization,
                timings=found.timings,
            )

        return relax(self.model(name), found, answers, again)
