"""What the facade asks the pipeline again, with other constraints, to examine a recommendation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.service.core import Core

if TYPE_CHECKING:
    from advisor.domain.exclusions import Exclusion
    from advisor.domain.relaxing import Relaxation


class SensitivityAnalysis(Core):
    """The part of the facade that looks at a recommendation from other sides."""

    def with_constraint_changes(
        self, found: Recommendation, before_each: Callable[[], None] | None = None
    ) -> Recommendation:
        """The recommendation with the changes of a requirement that would change its pick. Takes some seconds.

        `before_each` is called before each model and may raise.
        """
        from advisor.domain.constraint_changes import with_constraint_changes

        def again(constraints: Constraints) -> Recommendation:
            return self.recommend_again(found, constraints, before_each=before_each)

        return with_constraint_changes(found, again)

    def exclusions(
        self,
        found: Recommendation,
        answers: Mapping[str, Answer],
        before_each: Callable[[], None] | None = None,
    ) -> Iterator[Exclusion]:
        """How many models each answer excludes, one answer after the other; takes about a second.

        `answers` are those that the recommendation rests on; `before_each` is called before each model and may raise.
        """
        from advisor.domain.exclusions import exclusions

        def again(constraints: Constraints) -> Recommendation:
            return self.recommend_again(found, constraints, before_each=before_each)

        return exclusions(found, answers, self.catalogue, again)

    def idle_questions(self, machine: Machine, constraints: Constraints) -> frozenset[str]:
        """Keys of the questions whose answer cannot change anything now."""
        from advisor.domain.idle_questions import idle_questions

        return idle_questions(constraints, self.catalogue, machine)

    def relax(self, name: str, found: Recommendation, answers: Mapping[str, Answer]) -> Relaxation:
        """The smallest change of the answers behind a recommendation that admits an excluded model.

        Raises InputError for an unknown model, with the nearest id.
        """
        from advisor.domain.relaxing import relax

        def again(constraints: Constraints, named: tuple[str, ...]) -> Recommendation:
            return self.recommend_again(found, constraints, named=named)

        return relax(self.model(name), found, answers, again)
