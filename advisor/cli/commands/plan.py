"""`llm-advisor plan`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.fleet_output import note_failures, print_placement, require_enough
from advisor.cli.help import Command
from advisor.cli.options import complete_model, constraint_options, gathered, machine_options, output_options
from advisor.domain.capacity.plan import Plans
from advisor.domain.capacity.replica import ENGINES, refusal_lines
from advisor.domain.capacity.report import COLUMNS, load_facts, plan_lines, plan_row
from advisor.domain.capacity.sweep import Sweep
from advisor.domain.capacity.sweep_words import COLUMNS as SWEEP_COLUMNS
from advisor.domain.capacity.sweep_words import curve_paragraph, sweep_document, sweep_rows
from advisor.domain.fleet import Fleet
from advisor.domain.hardware import Machine
from advisor.domain.plan_options import PlanOptions
from advisor.errors import InputError, NoCandidateError
from advisor.service import Advisor, FleetAdvice, MachineChoice


@click.command("plan", cls=Command)
@click.option(
    "--model",
    "name",
    metavar="ID",
    shell_complete=complete_model,
    help="Model to serve; without it the pick of recommend.",
)
@click.option(
    "--quant",
    "quantization",
    metavar="TYPE",
    help="GGUF file type for llama.cpp, or BF16 or FP8 for the original weights.",
)
@click.option("--engine", metavar="NAME", help=f"Plan one engine only: {' or '.join(ENGINES)}.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of arrival seconds, prompt and answer tokens, in place of users and rate.",
)
@click.option(
    "--fleet",
    "fleet_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Place replicas on the machines of this file, as probe --ray -o writes it, so that the fastest may be lost.",
)
@click.option(
    "--ray", "address", metavar="ADDRESS", help="Place them on the nodes of a Ray cluster: HOST:PORT or auto."
)
@click.option(
    "--survive",
    metavar="WHAT",
    help="What may be lost while the targets hold: replica (the default) or machine, with all replicas on it.",
)
@click.option("--sweep", is_flag=True, help="Users against latency on this machine, for the first of the ranking.")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(1),
    metavar="N",
    default=12,
    show_default=True,
    help="Rows of the table, beside this machine's.",
)
@constraint_options
@machine_options
@output_options
@gathered("options", PlanOptions)
def command(
    options: PlanOptions,
    fleet_file: Path | None,
    address: str | None,
    sweep: bool,
    limit: int,
    needs: Needs,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
) -> None:
    """What serving many users takes: replicas, slots, machines and cost.

    \b
    llm-advisor plan --set scale.users=5000 --set latency.ttft_ms=2000
    llm-advisor plan --model mistral-small-3.2-24b-instruct --set scale.users=5000 --engine vllm
    llm-advisor plan --set scale.users=5000 --survive machine
    llm-advisor plan --set scale.users=5000 --sweep
    llm-advisor plan --trace busy-day.csv --gpu "L40Sx2" --json
    llm-advisor plan --fleet fleet.toml --set scale.users=200
    """
    advisor = Advisor()
    constraints = advisor.constraints(answers_of(advisor, needs))
    if where.file is not None and fleet_file is None and advisor.is_fleet_file(where.file):
        fleet_file, where = where.file, replace(where, file=None)
    fleet = _fleet(advisor, fleet_file, address, where)
    if fleet is not None:
        _refuse_with_fleet(options, sweep)
        _print_fleet(advisor, advisor.plan_fleet(fleet, constraints, options), as_json=as_json, plain=plain)
        return
    machine = advisor.machine(where)
    if sweep:
        _refuse_with_sweep(options)
        found = advisor.sweep(machine, constraints, name=options.name, quantization=options.quantization)
        _print_sweep(found, machine, as_json, plain)
        return
    plans = advisor.plan(machine, constraints, options)
    if machine.simulated:
        note("For a simulated machine.")
    if as_json:
        output.emit_json(advisor.plans_document(plans))
    else:
        _print(plans, limit, plain=plain)


def _fleet(advisor: Advisor, file: Path | None, address: str | None, where: MachineChoice) -> Fleet | None:
    """The fleet that the options name, if any. Raises InputError where they name a machine or another fleet too."""
    if file is None and address is None:
        return None
    if not where.is_here or (file is not None and address is not None):
        hint = "Give one of --fleet, --ray and --machine; --gpu and --ram change one machine only."
        raise InputError("a plan is for one machine or one fleet", hint=hint)
    if address is not None:
        note(f"Asking the Ray cluster at {address} …")
    fleet = advisor.fleet_of_file(file) if file is not None else advisor.probe_cluster(address or "")
    note_failures(fleet)
    return fleet


def _print_fleet(advisor: Advisor, placed: FleetAdvice, *, as_json: bool, plain: bool) -> None:
    if as_json:
        output.emit_json(advisor.fleet_advice_document(placed))
    else:
        if not plain:
            output.emit_facts(load_facts(placed.plans.subject), plain=False)
        print_placement(placed, plain=plain)
    require_enough(placed)


def _refuse_with_fleet(options: PlanOptions, sweep: bool) -> None:
    """Raises InputError for an option that a plan for a fleet cannot have."""
    if sweep:
        raise InputError("--sweep is for one machine", hint="Leave --fleet and --ray out.")
    if options.survive not in (None, "replica"):
        why = "a fleet is planned for the loss of its fastest replica"
        raise InputError(
            f"a plan for a fleet takes no --survive {options.survive}", why=why, hint="Leave --survive out."
        )


def _refuse_with_sweep(options: PlanOptions) -> None:
    """Raises InputError for an option that a sweep cannot have."""
    given = {"--trace": options.trace, "--survive": options.survive, "--engine": options.engine}
    wrong = next((option for option, value in given.items() if value is not None), None)
    if wrong is not None:
        why = "it shows llama.cpp on this machine under users and rate of the constraints, with nothing spare"
        raise InputError(f"--sweep takes no {wrong}", why=why, hint=f"Leave {wrong} out.")


def _print_sweep(found: Sweep, machine: Machine, as_json: bool, plain: bool) -> None:
    if machine.simulated:
        note("For a simulated machine.")
    if as_json:
        output.emit_json(sweep_document(found))
    else:
        output.emit_table(SWEEP_COLUMNS, sweep_rows(found), plain=plain, numeric=(2, 3, 4))
        if not plain:
            output.emit_paragraphs([curve_paragraph(curve, found) for curve in found.curves])
    if not any(curve.points for curve in found.curves):
        why = "; ".join(dict.fromkeys(curve.refusal or "unknown" for curve in found.curves))
        hint = "llm-advisor plan says which machines would do."
        raise NoCandidateError("this machine serves nobody within the targets", why=why, hint=hint)


def _print(found: Plans, limit: int, *, plain: bool) -> None:
    if not plain:
        output.emit_facts(load_facts(found.subject), plain=False)
    shown = [plan for i, plan in enumerate(found.plans) if i < limit or plan.node is None]
    rows = [plan_row(plan, found) for plan in shown]
    output.emit_table(COLUMNS, rows, plain=plain, numeric=(3, 4, 6, 7, 8, 9, 12))
    if plain:
        return
    cheapest = [plan for engine in ENGINES if (plan := found.cheapest(engine)) is not None]
    output.emit_paragraphs([plan_lines(plan, found) for plan in cheapest])
    if found.refusals:
        output.emit_paragraphs([("Not planned", refusal_lines(found.refusals))])
