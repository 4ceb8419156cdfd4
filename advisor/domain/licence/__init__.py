"""What a licence allows for a described use: verdict, duties, clauses, and what would change the verdict."""

from __future__ import annotations

from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.finding import LicenceFinding, Obligation, evaluate
from advisor.domain.licence.relevance import relevant_questions
from advisor.domain.licence.terms import Verdict

__all__ = ["Licence", "LicenceFinding", "Obligation", "Verdict", "evaluate", "relevant_questions"]
