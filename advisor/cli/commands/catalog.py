"""`llm-advisor catalog`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from advisor.cli import output
from advisor.cli.commands import coverage
from advisor.cli.diagnostics import note
from advisor.cli.help import Group
from advisor.cli.options import complete_model, output_options
from advisor.domain.upkeep.files import FieldChange, FileChange
from advisor.errors import InputError, NetworkError
from advisor.service import Advisor
from advisor.units import counted, format_bytes

if TYPE_CHECKING:
    from advisor.upkeep.refreshing import Refreshed
    from advisor.upkeep.validation import Validation

_CHANGES = ("model", "repository", "file", "change", "what")
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


@click.group(
    "catalog", cls=Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.pass_context
def command(context: click.Context) -> None:
    """Check what the catalogue says, see how much of it is sourced, or bring its lists of files up to date.

    \b
    llm-advisor catalog validate
    llm-advisor catalog coverage
    llm-advisor catalog refresh llama-3.1-8b-instruct
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("say what to do: validate, refresh or coverage.", context)


command.add_command(coverage.command)


def _today() -> date:
    return datetime.now(UTC).date()


@command.command("validate", short_help="Check every knowledge file and your own entries.")
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
        if found.engine_problem is not None:
            note(f"not all blueprints were tried: {found.engine_problem}")
        raise InputError(f"the catalogue has {counted(found.n_errors, 'error')}", hint="They are listed above.")
    if found.engine_problem is not None:
        raise found.engine_problem


@command.command("refresh", short_help="Bring lists of published files up to date from the Hub.")
@click.argument("models", metavar="[MODEL]...", nargs=-1, shell_complete=complete_model)
@click.option("--dry-run", is_flag=True, help="Ask the Hub and show what would change, but write nothing.")
@output_options
def refresh(models: tuple[str, ...], dry_run: bool, as_json: bool, plain: bool) -> None:
    """Bring names, exact sizes, hashes and headers of published GGUF files from the Hugging Face Hub.

    They go into your own overlay, never into what ships, and what changed is shown. This is one of the few commands
    that use the network; HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured. Exit code 5 where something failed.

    \b
    llm-advisor catalog refresh mistral-7b-instruct-v0.3
    llm-advisor catalog refresh --dry-run
    """
    advisor = Advisor()
    found = advisor.refresh_catalogue(models, _today(), dry_run=dry_run, say=note)
    if as_json:
        output.emit_json(advisor.refreshed_document(found))
    else:
        output.emit_table(_CHANGES, [_change_row(change) for change in found.changes], plain=plain)
    for path in found.written:
        note(f"kept: {path}")
    if dry_run:
        note("nothing was written: --dry-run")
    if found.failures:
        raise _failed(found)


def _change_row(change: FileChange) -> tuple[str, ...]:
    what = "; ".join(_field_text(field) for field in change.fields) if change.kind != "gone" else ""
    return (change.model, change.repo, change.file, change.kind, what)


def _field_text(field: FieldChange) -> str:
    if field.before is None:
        return f"{field.name} {_value_text(field.name, field.after)}"
    return f"{field.name} {_value_text(field.name, field.before)} -> {_value_text(field.name, field.after)}"


def _value_text(name: str, value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return ", ".join(f"{part[:12]}…" for part in value)
    return f"{value:,} ({format_bytes(value)})" if name.endswith("bytes") and isinstance(value, int) else str(value)


def _failed(found: Refreshed) -> NetworkError:
    """One failure as it is; several counted, each told before."""
    first = found.failures[0].error
    if len(found.failures) == 1 and not found.n_skipped:
        return NetworkError(first.what, why=first.why, hint=first.hint)
    for failure in found.failures:
        note(f"{failure.model}: {failure.error}")
    skipped = f"; {counted(found.n_skipped, 'more was', 'more were')} not asked for" if found.n_skipped else ""
    of = counted(found.n_repos, "repository", "repositories")
    why = "the reasons stand above" + skipped
    return NetworkError(f"{len(found.failures)} of {of} could not be refreshed", why=why, hint="What was read is kept.")


def _counts(found: Validation) -> str:
    warnings = len(found.findings) - found.n_errors
    looked = f"{counted(found.n_files, 'file')}, {counted(found.n_models, 'model')}"
    return f"{looked}, {counted(found.n_dry_runs, 'dry run')}: {counted(found.n_errors, 'error')}, " + counted(
        warnings, "warning"
    )
