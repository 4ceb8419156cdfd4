"""What the facade asks the pipeline again, with other constraints, to examine a recommendation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.model import Model
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.trial.evidence import Evidence

if TYPE_CHECKING:
    from advisor.domain.exclusions import Exclusion
    from advisor.domain.relaxing import Relaxation


class _Recommends(Protocol):
    @property
    def catalogue(self) -> Catalogue: ...

    def model(self, name: str) -> Model: ...

    def recommend(
        self,
        machine: Machine,
        constraints: Constraints,
        *,
        named: Iterable[str] = (),
        quantization: str | None = None,
        timings: Timings = NO_TIMINGS,
        trial: Evidence | None = None,
        before_each: Callable[[], None] | None = None,
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
                trial=found.trial,
            )

        return with_constraint_changes(found, again)

    def exclusions(
        self: _Recommends,
        found: Recommendation,
        answers: Mapping[str, Answer],
        before_each: Callable[[], None] | None = None,
    ) -> Iterator[Exclusion]:
        """How many models each answer excludes, one answer after the other; takes about a second.

        `answers` are those that the recommendation rests on; `before_each` is called before each model and may raise.
        """
        from advisor.domain.exclusions import exclusions

        def again(constraints: Constraints) -> Recommendation:
            return self.recommend(
                found.machine,
                constraints,
                named=found.named,
                quantization=found.only_quantization,
                timings=found.timings,
                trial=found.trial,
                before_each=before_each,
            )

        return exclusions(found, answers, self.catalogue, again)

    def idle_questions(self: _Recommends, machine: Machine, constraints: Constraints) -> frozenset[str]:
        """Keys of the questions whose answer cannot change anything now."""
        from advisor.domain.idle_questions import idle_questions

        return idle_questions(constraints, self.catalogue, machine)

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
                trial=found.trial,
            )

        return relax(self.model(name), found, answers, again)
