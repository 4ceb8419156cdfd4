"""A licence as facts: every term that the engine weighs, with clause and source."""

from __future__ import annotations

from advisor.domain.licence.restrictions import (
    EuRestriction,
    FieldOfUse,
    Restriction,
    RevenueThreshold,
    TrainingBan,
    UserThreshold,
)
from advisor.domain.licence.terms import Ambiguity, Duty, Standing, Term, TermKind
from advisor.values import value


@value
class Licence:
    """A licence as terms, each with its clause and source."""

    id: str
    name: str
    licensor: str | None
    url: str | None
    """Where to read the text."""
    hf_tag: str | None
    """`license` on the Hugging Face Hub."""
    spdx: str | None
    """SPDX identifier, or a LicenseRef where the list has none."""
    osi_approved: bool | None
    released: str | None
    """ISO date, year or month of the text."""
    warning: str | None
    """What a reader of the identifier can get wrong."""
    missing: tuple[TermKind, ...]
    """Points on which nobody established what the licence says; any makes every verdict `unknown`."""
    grant: Term | None
    user_threshold: UserThreshold | None
    revenue_threshold: RevenueThreshold | None
    eu_restriction: EuRestriction | None
    field_of_use: FieldOfUse | None
    training_ban: TrainingBan | None
    separate_licence: Term | None
    """How to ask the licensor for rights that this text withholds; None where the text names no way."""
    duties: tuple[Duty, ...]
    standing: tuple[Standing, ...]
    ambiguities: tuple[Ambiguity, ...]
    other_terms: tuple[tuple[str, Term], ...]
    """Terms that no verdict rests on: trademark, termination, governing law."""

    @property
    def restrictions(self) -> tuple[Restriction, ...]:
        """The terms that can withhold the licence."""
        terms = (
            self.eu_restriction,
            self.training_ban,
            self.user_threshold,
            self.revenue_threshold,
            self.field_of_use,
        )
        return tuple(term for term in terms if term is not None)

    @property
    def is_established(self) -> bool:
        """Whether enough is known to judge a use."""
        return self.grant is not None and not self.missing
