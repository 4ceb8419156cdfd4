"""`llm-advisor verify`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import machine_options, output_options
from advisor.domain.verification import Status
from advisor.errors import CheckFailedError, InputError
from advisor.service import Advisor, MachineChoice


@click.command("verify", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recorded-machine", is_flag=True, help="Replay on the machine that the file records, not on this one.")
@machine_options
@output_options
def command(
    file: Path,
    recorded_machine: bool,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
) -> None:
    """Replay a recommendation: is it still true here? Exit code 4 when it no longer holds.

    \b
    llm-advisor verify recommendation.toml
    llm-advisor verify recommendation.toml --recorded-machine --json
    """
    if recorded_machine and not where.is_here:
        why = "it replays on the machine that the file records"
        raise InputError(
            "--recorded-machine takes no other machine", why=why, hint="Leave --gpu, --ram and --machine out."
        )
    advisor = Advisor()
    found = advisor.verify(file, where, recorded_machine=recorded_machine)
    if as_json:
        output.emit_json({"file": str(file), **advisor.verification_document(found)})
    else:
        marks = {"holds": "✓ holds", "changed": "~ changed", "fails": "✗ fails"}
        rows = [(marks[c.status.value], c.id, c.recorded, c.current) for c in found.checks]
        output.emit_table(("status", "check", "recorded", "now"), rows, plain=plain)
    if found.status is Status.FAILS:
        failing = ", ".join(c.id for c in found.checks if c.status is Status.FAILS)
        raise CheckFailedError(f"{file} no longer holds here", why=failing)
