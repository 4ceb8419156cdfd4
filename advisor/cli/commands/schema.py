"""`llm-advisor schema`."""

from __future__ import annotations

import json

import click

from advisor.cli.help import Command
from advisor.service import SCHEMAS, Advisor


@click.command("schema", cls=Command)
@click.argument("name", type=click.Choice(SCHEMAS))
@click.option("--json", is_flag=True, expose_value=False, help="A schema is JSON in any case.")
def command(name: str) -> None:
    """Print the JSON Schema of a file: recommendation or constraints.

    \b
    llm-advisor schema recommendation > recommendation.schema.json
    """
    click.echo(json.dumps(Advisor().schema(name), indent=2, ensure_ascii=False))
