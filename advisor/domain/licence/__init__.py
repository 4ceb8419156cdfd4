"""What a licence allows for a described use: verdict, duties, clauses, and what would change the verdict."""

from __future__ import annotations

from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.finding import (
    CautiousReading,
    Clause,
    LicenceFinding,
    Obligation,
    OpenPoint,
    StandingTerm,
    evaluate,
)
from advisor.domain.licence.relevance import relevant_questions
from advisor.domain.licence.terms import Term, Verdict, strongest

__all__ = [
    "CautiousReading",
    "Clause",
    "Licence",
    "LicenceFinding",
    "Obligation",
    "OpenPoint",
    "StandingTerm",
    "Term",
    "Verdict",
    "evaluate",
    "relevant_questions",
    "strongest",
]
