"""`llm-advisor probe`."""

from __future__ import annotations

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.fleet_output import note_failures
from advisor.cli.help import Command
from advisor.cli.options import machine_options, output_options
from advisor.domain.wording import FLEET_COLUMNS, FLEET_NUMERIC, fleet_rows, machine_facts
from advisor.errors import InputError
from advisor.service import Advisor, MachineChoice


@click.command("probe", cls=Command)
@click.option("--ray", "address", metavar="ADDRESS", help="Probe every node of a Ray cluster: HOST:PORT or auto.")
@machine_options
@output_options
@click.option("-o", "place", metavar="FILE", help="Write a machine or fleet file for --machine; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def command(
    address: str | None,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
    place: str | None,
    force: bool,
) -> None:
    """What this machine has and what llama.cpp can use of it.

    \b
    llm-advisor probe
    llm-advisor probe --json
    llm-advisor probe -o workstation.toml
    llm-advisor probe --ray 10.0.0.5:6379 -o fleet.toml
    """
    advisor = Advisor()
    if address is not None:
        if not where.is_here:
            raise InputError("--ray probes what is there", hint="Leave --gpu, --ram and --machine out.")
        _probe_cluster(advisor, address, place, as_json=as_json, plain=plain, force=force)
        return
    machine = advisor.machine(where)
    if place is not None:
        output.emit_file(advisor.machine_file_text(machine), place, force=force)
    if as_json and place != "-":  # else standard output has the file
        output.emit_json(advisor.machine_document(machine))
    elif place is None:
        output.emit_facts(machine_facts(machine), plain=plain)


def _probe_cluster(
    advisor: Advisor, address: str, place: str | None, *, as_json: bool, plain: bool, force: bool
) -> None:
    note(f"Asking the Ray cluster at {address} …")
    fleet = advisor.probe_cluster(address)
    note_failures(fleet)
    if place is not None:
        output.emit_file(advisor.fleet_file_text(fleet), place, force=force)
    if as_json and place != "-":
        output.emit_json(advisor.fleet_document(fleet))
    elif place is None:
        output.emit_table(FLEET_COLUMNS, fleet_rows(fleet), plain=plain, numeric=FLEET_NUMERIC)
