"""`llm-advisor catalog`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.options import output_options
from advisor.errors import InputError
from advisor.service import Advisor

if TYPE_CHECKING:
    from advisor.upkeep.validation import Validation

_FINDINGS = ("level", "file", "key", "reason", "next")


class Day(click.ParamType[date]):
    """A day, written as 2026-11-27."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-11-27", param, ctx)


@click.group("catalog", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check what the catalogue says, or bring its lists of files up to date.

    \b
    llm-advisor catalog validate
    llm-advisor catalog refresh llama-3.1-8b-instruct
    """


def _today() -> date:
    return datetime.now(UTC).date()


@command.command("validate")
@output_options
@click.option("--today", type=Day(), metavar="DATE", help="Judge the age of sources as of this day.")
@click.option("--no-engine", is_flag=True, help="Leave out llama.cpp's dry run of every model.")
def validate(as_json: bool, plain: bool, today: date | None, no_engine: bool) -> None:
    """Check every knowledge file, your own entries included: schema, references, arithmetic, links, age of sources,
    and whether llama.cpp loads each model's blueprint. Exit code 2 where there are errors; warnings do not fail.

    \b
    llm-advisor catalog validate
    llm-advisor catalog validate --no-engine --today 2027-06-01 --json
    """
    advisor, day = Advisor(), today or _today()
    found = advisor.validate_catalogue(day, use_engine=not no_engine)
    if as_json:
        output.emit_json(advisor.validation_document(found, day))
    else:
        rows = [(f.level, f.file, f.key, f.reason, f.fix or "") for f in found.findings]
        output.emit_table(_FINDINGS, rows, plain=plain)
    note(f"{_counts(found)} (as of {day}, {advisor.knowledge})")
    if found.n_errors:
        raise InputError(f"the catalogue has {_number(found.n_errors, 'error')}", hint="They are listed above.")
    if found.engine_problem is not None:
        raise found.engine_problem


def _counts(found: Validation) -> str:
    warnings = len(found.findings) - found.n_errors
    looked = f"{_number(found.n_files, 'file')}, {_number(found.n_models, 'model')}"
    return f"{looked}, {_number(found.n_dry_runs, 'dry run')}: {_number(found.n_errors, 'error')}, " + _number(
        warnings, "warning"
    )


def _number(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
