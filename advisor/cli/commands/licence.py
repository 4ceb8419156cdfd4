"""`llm-advisor licence`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.options import constraint_options, given_answers, output_options
from advisor.domain.licence import LicenceFinding
from advisor.service import Advisor


@click.command("licence")
@click.argument("model")
@constraint_options
@output_options
def command(model: str, constraints_file: Path | None, settings: tuple[str, ...], as_json: bool, plain: bool) -> None:
    """What a model's licence says about the described use: verdict, duties, clauses. Not legal advice.

    \b
    llm-advisor licence llama-3.1-8b-instruct --set use.mau_at_release=900000000
    llm-advisor licence codestral-22b-v0.1 --set use.commercial=false --set use.purpose=research
    """
    advisor = Advisor()
    chosen = advisor.model(model)
    finding = advisor.licence(chosen, advisor.constraints(given_answers(advisor, constraints_file, settings)))
    if as_json:
        output.emit_json(advisor.licence_document(chosen, finding))
    else:
        output.emit_facts([("model", chosen.id), *_facts(finding)], plain=plain)


def _facts(finding: LicenceFinding) -> list[tuple[str, str]]:
    facts = [("licence", finding.licence), ("verdict", finding.verdict.value.replace("_", " "))]
    facts += [("because", reason) for reason in finding.reasons]
    facts += [("duty", f"{duty.id}: {duty.text}") for duty in finding.obligations]
    facts += [("standing term", f"{term.id}: {term.text}") for term in finding.standing]
    if finding.conservative is not None:
        facts.append(("a cautious reader", finding.conservative.verdict.value.replace("_", " ")))
        facts += [("a cautious duty", f"{duty.id}: {duty.text}") for duty in finding.conservative.obligations]
    facts += [("would change it", change) for change in finding.changes]
    facts += [("clause", f"{clause.id}: {clause.text} ({clause.source})") for clause in finding.clauses]
    return facts
