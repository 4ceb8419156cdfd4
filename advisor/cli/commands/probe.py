"""`llm-advisor probe`."""

from __future__ import annotations

import click

from advisor.cli import output
from advisor.cli.options import output_options
from advisor.domain.wording import machine_facts
from advisor.service import Advisor


@click.command("probe")
@output_options
@click.option("-o", "place", metavar="FILE", help="Write a machine file for --machine; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def command(as_json: bool, plain: bool, place: str | None, force: bool) -> None:
    """What this machine has and what llama.cpp can use of it.

    \b
    llm-advisor probe
    llm-advisor probe --json
    llm-advisor probe -o workstation.toml
    """
    advisor = Advisor()
    machine = advisor.machine()
    if place is not None:
        output.emit_file(advisor.machine_file_text(machine), place, force=force)
    elif as_json:
        output.emit_json(advisor.machine_document(machine))
    else:
        output.emit_facts(machine_facts(machine), plain=plain)
