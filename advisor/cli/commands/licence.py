"""`llm-advisor licence`."""

from __future__ import annotations

import click

from advisor import api
from advisor.api import Needs
from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import complete_model, constraint_options, output_options
from advisor.domain.licence import LicenceFinding


@click.command("licence", cls=Command)
@click.argument("model", shell_complete=complete_model)
@constraint_options
@output_options
def command(model: str, needs: Needs, as_json: bool, plain: bool) -> None:
    """What a model's licence says about the described use: verdict, duties, clauses. Not legal advice.

    \b
    llm-advisor licence llama-3.1-8b-instruct --set use.mau_at_release=900000000
    llm-advisor licence codestral-22b-v0.1 --set use.commercial=false --set use.purpose=research
    """
    found = api.licence(model, needs)
    if as_json:
        output.emit_json(found.document)
    else:
        output.emit_facts([("model", found.document["model"]), *_facts(found.value)], plain=plain)


def _facts(finding: LicenceFinding) -> list[tuple[str, str]]:
    facts = [("licence", finding.licence), ("verdict", finding.verdict.value.replace("_", " "))]
    facts += [("because", reason) for reason in finding.reasons]
    facts += [("duty", f"{duty.id}: {duty.text}") for duty in finding.obligations]
    facts += [("standing term", f"{term.id}: {term.text}") for term in finding.standing]
    if finding.conservative is not None:
        facts.append(("a cautious reader", finding.conservative.verdict.value.replace("_", " ")))
        facts += [("a cautious duty", f"{duty.id}: {duty.text}") for duty in finding.conservative.obligations]
    facts += [("left open", f"{point.id}: {point.text}") for point in finding.open_points]
    facts += [("would change it", change) for change in finding.changes]
    facts += [("clause", f"{clause.id}: {clause.text} ({clause.source})") for clause in finding.clauses]
    return facts
