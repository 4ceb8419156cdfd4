"""The words of the licence engine: verdicts, terms with their clause and source, duties and open questions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from advisor.values import value

DutyKind = Literal["COPY_OF_LICENCE", "NOTICE_FILE", "DISPLAY", "NAME_PREFIX", "MARK_MODIFIED", "RETAIN_NOTICES"]
StandingId = Literal["AUP", "REVENUE_MONITOR", "RESEARCH_ONLY", "NON_PRODUCTION_ONLY"]
TermKind = Literal[
    "grant",
    "user_threshold",
    "revenue_threshold",
    "eu_restriction",
    "field_of_use",
    "training_ban",
    "duties",
    "standing",
]
Trigger = Literal[
    "always",
    "service",
    "distribution",
    "modified_distribution",
    "modified_release",
    "unmodified_weights",
    "trained_release",
    "trained_family_release",
    "training",
    "training_family",
    "training_non_llm",
    "internal_staff",
    "company_testing",
    "users_today_above",
    "revenue_above_no_company",
    "eu_multimodal_developer",
    "eu_multimodal_end_user",
]
"""Circumstances on which a duty or an open question depends; `advisor.domain.licence.triggers` decides them."""


class Verdict(StrEnum):
    """From the strongest to the weakest; where several terms speak, the strongest holds."""

    UNKNOWN = "unknown"
    FORBIDDEN = "forbidden"
    """The text withholds the right and names no way to get it."""
    NEEDS_SEPARATE_LICENCE = "needs_separate_licence"
    """The text withholds the right and names asking the licensor as the way."""
    ALLOWED_WITH_OBLIGATIONS = "allowed_with_obligations"
    ALLOWED = "allowed"

    @property
    def strength(self) -> int:
        """4 for `unknown` down to 0 for `allowed`."""
        return _STRENGTH[self]

    @property
    def grants(self) -> bool:
        """Whether the use may go ahead, duties done."""
        return self in (Verdict.ALLOWED, Verdict.ALLOWED_WITH_OBLIGATIONS)


_STRENGTH = {verdict: rank for rank, verdict in enumerate(reversed(Verdict))}


def strongest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that holds where several apply; `allowed` where none does."""
    return max(verdicts, key=lambda verdict: verdict.strength, default=Verdict.ALLOWED)


@value
class Term:
    """What a licence says on one point."""

    value: str
    """The point in plain words."""
    clause: str
    phrase: str | None
    """A short quotation from the clause."""
    source_text: str
    source_url: str
    third_party: bool = False
    """Whether the text was read in somebody else's copy or account of it."""


@value
class Duty:
    """An act that the licence asks for in some circumstances."""

    kind: DutyKind
    exact: str | None
    """The very words to show, to write down or to begin a name with."""
    text: str
    """What to do, the exact words included."""
    triggers: tuple[Trigger, ...]
    """Any one of them calls for the act."""
    term: Term

    @property
    def id(self) -> str:
        """For example `COPY_OF_LICENCE`, `NOTICE_FILE` or `DISPLAY:Built with Llama`."""
        return f"{self.kind}:{self.exact}" if self.kind in ("DISPLAY", "NAME_PREFIX") else self.kind


@value
class Standing:
    """A term that binds every permitted use without asking for an act."""

    id: StandingId
    text: str
    term: Term


@value
class Ambiguity:
    """A point that the text leaves open, and what a cautious reader makes of it."""

    id: str
    """`A1` to `A15`."""
    text: str
    triggers: tuple[Trigger, ...]
    verdict: Verdict | None
    """Verdict of the cautious reading; None where it only adds duties or a warning."""
    duties: tuple[DutyKind, ...]
    """Duties that the cautious reading adds."""
