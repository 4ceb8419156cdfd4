"""`llm-advisor speed`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.options import constraint_options, given_answers, machine_choice, machine_options, output_options
from advisor.cli.progress import MeasuringProgress
from advisor.domain.speed_report import speed_facts
from advisor.service import Advisor


@click.command("speed")
@click.argument("name", metavar="MODEL")
@click.option("--quant", metavar="TYPE", default="Q4_K_M", show_default=True, help="File type of the model.")
@click.option("--prompt", type=click.IntRange(1), metavar="TOKENS", help="Length of the prompt.")
@click.option("--depth", type=click.IntRange(0), metavar="TOKENS", help="Tokens in the cache while decoding.")
@click.option("--measure", is_flag=True, help="Time slices of the model with random weights on this machine.")
@constraint_options
@machine_options
@output_options
def command(
    name: str,
    quant: str,
    prompt: int | None,
    depth: int | None,
    measure: bool,
    constraints_file: Path | None,
    settings: tuple[str, ...],
    gpu: str | None,
    ram: int | None,
    machine_file: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """How fast a model runs, without downloading it.

    \b
    llm-advisor speed llama-3.1-8b-instruct --measure
    llm-advisor speed llama-3.3-70b-instruct --gpu "RTX 4090x2" --depth 16384
    llm-advisor speed mistral-7b-instruct-v0.3 --quant Q8_0 --prompt 2048 --json
    """
    advisor = Advisor()
    constraints = advisor.constraints(given_answers(advisor, constraints_file, settings))
    machine = advisor.machine(machine_choice(gpu, ram, machine_file))
    with MeasuringProgress() as progress:
        report = advisor.speed(
            name,
            quant,
            machine,
            constraints,
            prompt_tokens=prompt,
            depth_tokens=depth,
            measured=measure,
            on_event=progress,
        )
    if machine.simulated:
        note("For a simulated machine.")
    if as_json:
        output.emit_json(advisor.speed_document(report))
    else:
        output.emit_facts(speed_facts(report), plain=plain)
