"""`llm-advisor export`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import F, gathered, output_options
from advisor.domain.export_request import EXPORT_OPTIONS, ExportRequest
from advisor.errors import InputError
from advisor.service import EVERYTHING, Advisor

_TARGETS = Advisor().export_targets()


def _request_options(command: F) -> F:
    """A flag for each option of the request."""
    for option in reversed(EXPORT_OPTIONS):
        question = option.question
        is_count = question.kind == "integer" and question.minimum is not None and question.maximum is not None
        command = click.option(
            option.flag,
            question.key,
            type=click.IntRange(int(question.minimum or 0), int(question.maximum or 0)) if is_count else None,
            metavar=option.metavar or ("N" if is_count else None),
            default=question.default,
            show_default=question.default is not None,
            help=question.help,
        )(command)
    return command


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
@_request_options
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
        if place == "-":
            raise InputError("standard output takes one file, not all", hint="Name a folder: -o DIR.")
        texts, refused = Advisor().export_everything(file, request)
        for name, error in refused.items():
            note(f"No {name}: {error}")
    else:
        texts = Advisor().export_file(file, target, request)
    if place == "-":
        (_, text), *others = texts.items()
        output.emit_file(text, "-", force=force)
        if others:
            note(f"left out: {', '.join(name for name, _ in others)}; -o DIR writes them too")
        return
    written = output.emit_files(texts, Path(place), force=force)
    if as_json:
        output.emit_json({"target": target, "files": [{"path": str(p), "bytes": p.stat().st_size} for p in written]})
    else:
        output.emit_table(("file", "bytes"), [(str(p), str(p.stat().st_size)) for p in written], plain=plain)
