"""`llm-advisor speed`."""

from __future__ import annotations

import click

from advisor import api
from advisor.api import Needs
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import (
    complete_model,
    constraint_options,
    machine_options,
    output_options,
)
from advisor.cli.progress import MeasuringProgress
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.domain.speed_report import speed_facts
from advisor.service import MachineChoice


@click.command("speed", cls=Command)
@click.argument("name", metavar="MODEL", shell_complete=complete_model)
@click.option(
    "--quant", metavar="TYPE", default=DEFAULT_QUANTIZATION, show_default=True, help="File type of the model."
)
@click.option("--prompt", type=click.IntRange(1), metavar="TOKENS", help="Length of the prompt.")
@click.option("--depth", type=click.IntRange(0), metavar="TOKENS", help="Tokens in the cache while decoding.")
@click.option("--measure", is_flag=True, help="Time slices of the model with random weights on this machine.")
@click.option("--remeasure", is_flag=True, help="As --measure, and time also what was timed before.")
@constraint_options
@machine_options
@output_options
def command(
    name: str,
    quant: str,
    prompt: int | None,
    depth: int | None,
    measure: bool,
    remeasure: bool,
    needs: Needs,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
) -> None:
    """How fast a model runs, without downloading it.

    \b
    llm-advisor speed llama-3.1-8b-instruct --measure
    llm-advisor speed llama-3.3-70b-instruct --gpu "RTX 4090x2" --depth 16384
    llm-advisor speed mistral-7b-instruct-v0.3 --quant Q8_0 --prompt 2048 --json
    """
    with MeasuringProgress() as progress:
        found = api.speed(
            name,
            quant,
            needs,
            prompt_tokens=prompt,
            depth_tokens=depth,
            measure="again" if remeasure else measure,
            on_event=progress,
            gpu=where.gpu,
            ram=where.ram_bytes,
            machine=where.file,
        )
    if not where.is_here:
        note("For a simulated machine.")
    if as_json:
        output.emit_json(found.document)
    else:
        output.emit_facts(speed_facts(found.value), plain=plain)
