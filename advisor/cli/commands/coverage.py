"""`llm-advisor catalog coverage`."""

from __future__ import annotations

import click

from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import output_options
from advisor.domain.coverage import coverage_rows, gap_rows
from advisor.service import Advisor
from advisor.text import printable


@click.command("coverage", cls=Command, short_help="How much of the catalogue is sourced, field by field.")
@click.option("--markdown", is_flag=True, help="The page docs/coverage.md.")
@click.option("--unknown", "unknown_only", is_flag=True, help="Only what is unknown, with the reason.")
@output_options
def command(markdown: bool, unknown_only: bool, as_json: bool, plain: bool) -> None:
    """How much of the catalogue is sourced, field by field, and why the rest is unknown.

    \b
    llm-advisor catalog coverage
    llm-advisor catalog coverage --unknown --plain
    """
    if sum((markdown, as_json, plain)) > 1:
        raise click.UsageError("--markdown, --json and --plain exclude one another.")
    advisor = Advisor()
    found = advisor.coverage()
    if as_json:
        output.emit_json(advisor.coverage_document(found, advisor.catalogue))
    elif markdown:
        click.echo(printable(advisor.coverage_markdown(found)), nl=False)
    else:
        if not unknown_only:
            columns = ("field", "models", "sourced", "unknown", "share")
            output.emit_table(columns, coverage_rows(found), plain=plain, numeric=(1, 2, 3, 4))
            click.echo()
        output.emit_table(("unknown field", "model", "reason"), gap_rows(found), plain=plain)
