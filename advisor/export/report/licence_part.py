"""The licence in a report: verdict, duties with their exact words, and the clauses that decided."""

from __future__ import annotations

from advisor.export.recommendation_schema import LicenceTable, ObligationTable
from advisor.export.report.blocks import Block, Facts, Grid, Points, Section
from advisor.export.words import VERDICT_WORDS


def licence_section(licence: LicenceTable) -> Section:
    """The whole finding; parts that are empty are left out."""
    rows = [("licence", licence.licence), ("verdict", VERDICT_WORDS[licence.verdict])]
    cautious = licence.conservative
    if cautious.verdict is not None:
        rows.append(("a cautious reader says", VERDICT_WORDS[cautious.verdict]))
    extra = [duty for duty in cautious.obligations if duty not in licence.obligations]
    lists = (
        ("Duties", [_duty(duty) for duty in licence.obligations]),
        ("Further duties for a cautious reader", [_duty(duty) for duty in extra]),
        ("Always binding", [term.text for term in licence.standing]),
        ("Because", licence.reasons),
        ("Left open by the licence", [point.text for point in licence.open_points]),
        ("What would change the verdict", licence.changes),
    )
    blocks: list[Block] = [Facts(rows), *(Points(title, lines) for title, lines in lists if lines)]
    if licence.clauses:
        clauses = [(clause.id, clause.text, clause.source) for clause in licence.clauses]
        blocks.append(Grid(("clause", "what it says", "source"), clauses))
    return Section("Licence", blocks, "For the use described below. A reading of the text, not legal advice.")


def _duty(duty: ObligationTable) -> str:
    words = f" Exact words: “{duty.exact}”" if duty.exact and duty.exact not in duty.text else ""
    return f"{duty.text}{words}"
