"""`llm-advisor models`."""

from __future__ import annotations

import click

from advisor import api
from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import output_options
from advisor.domain.model import Model
from advisor.domain.wording import OVERLAY_MARK
from advisor.units import format_count, format_tokens

_COLUMNS = ("id", "family", "params", "active", "context", "licence", "languages", "status")


@click.command("models", cls=Command)
@output_options
@click.option("--family", type=click.Choice(["mistral", "llama"]), help="One family only.")
def command(as_json: bool, plain: bool, family: str | None) -> None:
    """List the catalogue.

    \b
    llm-advisor models --family llama
    llm-advisor models --json
    """
    found = api.models(family)
    if as_json:
        output.emit_json(found.document)
    else:
        output.emit_table(_COLUMNS, [_row(m) for m in found.value], plain=plain, numeric=(2, 3, 4, 6))


def _row(model: Model) -> tuple[str, ...]:
    languages = model.languages.supported
    return (
        model.id,
        model.family,
        format_count(model.total_params) if model.total_params else "unknown",
        format_count(model.active_params) if model.active_params else "unknown",
        format_tokens(model.max_context_tokens) if model.max_context_tokens else "unknown",
        model.licence,
        "unknown" if languages is None else str(len(languages)),
        _status(model),
    )


def _status(model: Model) -> str:
    status = "related" if model.related_only else model.status
    return f"{status}, {OVERLAY_MARK}" if model.overlay else status
