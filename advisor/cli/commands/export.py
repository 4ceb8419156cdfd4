"""`llm-advisor export`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.options import output_options
from advisor.service import Advisor

_TARGETS = Advisor().export_targets()


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="RECOMMENDATION.toml")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="TARGET",
    help="; ".join(f"{name}: {text}" for name, text in _TARGETS.items()) + ".",
)
@click.option("-o", "place", default=".", show_default=True, metavar="DIR", help="Where to; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@output_options
def command(file: Path, target: str, place: str, force: bool, as_json: bool, plain: bool) -> None:
    """Turn a recommendation file into a report with charts, or into another program's files.

    \b
    llm-advisor export recommendation.toml --to html -o reports
    llm-advisor export recommendation.toml --to markdown -o docs --force
    llm-advisor export recommendation.toml --to html -o - > report.html
    """
    texts = Advisor().export_file(file, target)
    if place == "-":
        output.emit_file(next(iter(texts.values())), "-", force=force)
        return
    written = output.emit_files(texts, Path(place), force=force)
    if as_json:
        output.emit_json({"target": target, "files": [{"path": str(p), "bytes": p.stat().st_size} for p in written]})
    else:
        output.emit_table(("file", "bytes"), [(str(p), str(p.stat().st_size)) for p in written], plain=plain)
