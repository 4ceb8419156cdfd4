"""`llm-advisor show`."""

from __future__ import annotations

import click

from advisor import api
from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import complete_model, output_options
from advisor.domain.model import GgufFile, Model
from advisor.domain.wording import model_facts
from advisor.service import Advisor
from advisor.units import format_bytes


@click.command("show", cls=Command)
@click.argument("model", shell_complete=complete_model)
@output_options
def command(model: str, as_json: bool, plain: bool) -> None:
    """One model: shape, terms, languages, benchmarks and files, each with its source.

    \b
    llm-advisor show mistral-7b-instruct-v0.3
    llm-advisor show meta-llama/Llama-3.3-70B-Instruct --json
    """
    advisor = Advisor()
    found = api.show(model, advisor=advisor)
    if as_json:
        output.emit_json(found.document)
        return
    chosen = found.value
    files = advisor.gguf_files(chosen)
    rows = [*model_facts(chosen, advisor.catalogue.languages), *_files(chosen, files)]
    output.emit_table(("field", "value", "source"), rows, plain=plain)


def _files(model: Model, files: tuple[GgufFile, ...]) -> list[tuple[str, str, str]]:
    return [
        (
            f"file {file.quantization}",
            f"{file.repo}/{file.file}" + (f", {format_bytes(file.n_bytes)}" if file.n_bytes else ""),
            f"{file.source} (checked {file.checked})" if file.checked else file.source,
        )
        for file in files
    ]
