"""`llm-advisor export`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import gathered, output_options
from advisor.domain.export_request import DEFAULT_PORT, ExportRequest
from advisor.service import EVERYTHING, Advisor

_TARGETS = Advisor().export_targets()


@click.command("export", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="RECOMMENDATION.toml")
@click.option(
    "--to",
    "--format",
    "target",
    required=True,
    metavar="TARGET",
    help="; ".join(f"{name}: {text}" for name, text in _TARGETS.items()) + f"; {EVERYTHING}: every one that can.",
)
@click.option("-o", "place", default=".", show_default=True, metavar="DIR", help="Where to; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@click.option("--engine", metavar="NAME", help="llama.cpp or vllm, where the target can run both.")
@click.option("--node", metavar="NAME", help="Plan the load anew for this kind of machine (llm-advisor plan).")
@click.option("--quant", "quantization", metavar="TYPE", help="For vLLM: BF16, or FP8 made from it when it is loaded.")
@click.option("--slots", type=click.IntRange(1, 4096), metavar="N", help="Requests that one copy answers at once.")
@click.option("--replicas", type=click.IntRange(1, 10_000), metavar="N", help="Copies to run.")
@click.option("--gguf", metavar="FILE", help="Weights: owner/name/FILE.gguf on the Hub, or /PATH/FILE.gguf.")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", default=DEFAULT_PORT, show_default=True, help="To listen on."
)
@click.option("--image", metavar="IMAGE", help="Container image, in place of the engine's own.")
@click.option("--allow-simulated", is_flag=True, help="Although the machine was described and not probed.")
@output_options
@gathered("request", ExportRequest)
def command(
    file: Path,
    target: str,
    place: str,
    force: bool,
    request: ExportRequest,
    as_json: bool,
    plain: bool,
) -> None:
    """Turn a recommendation file into a report with charts, or into files that run the model.

    \b
    llm-advisor export recommendation.toml --to html -o reports
    llm-advisor export recommendation.toml --to llama-server -o deploy
    llm-advisor export recommendation.toml --to kubernetes --engine vllm --node g6e.xlarge -o deploy
    llm-advisor export recommendation.toml --to all -o deploy
    llm-advisor export recommendation.toml --to compose -o - > compose.yaml
    """
    if target == EVERYTHING:
        texts, refused = Advisor().export_everything(file, request)
        for name, error in refused.items():
            note(f"No {name}: {error}")
    else:
        texts = Advisor().export_file(file, target, request)
    if place == "-":
        output.emit_file(next(iter(texts.values())), "-", force=force)
        return
    written = output.emit_files(texts, Path(place), force=force)
    if as_json:
        output.emit_json({"target": target, "files": [{"path": str(p), "bytes": p.stat().st_size} for p in written]})
    else:
        output.emit_table(("file", "bytes"), [(str(p), str(p.stat().st_size)) for p in written], plain=plain)
