"""`llm-advisor doctor`."""

from __future__ import annotations

import click

from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import output_options
from advisor.errors import CheckFailedError
from advisor.service import Advisor
from advisor.units import counted


@click.command("doctor", cls=Command)
@output_options
def command(as_json: bool, plain: bool) -> None:
    """Check the installation: knowledge, engine, devices, directories. Says what would mend a failure.

    \b
    llm-advisor doctor
    llm-advisor doctor --json
    """
    checks = Advisor().diagnose()
    if as_json:
        output.emit_json(
            {
                "checks": [
                    {"id": c.id, "status": c.status, "text": c.text, "hint": c.hint, "ms": round(c.ms, 1)}
                    for c in checks
                ]
            }
        )
    else:
        marks = {"ok": "✓ ok", "warning": "~ warning", "failed": "✗ failed"}
        rows = [(marks[c.status], c.id, _finding(c.text, c.hint), f"{c.ms:.0f}") for c in checks]
        output.emit_table(("status", "check", "finding", "ms"), rows, plain=plain, numeric=(3,))
    failed = [c.id for c in checks if c.status == "failed"]
    if failed:
        raise CheckFailedError(f"{counted(len(failed), 'check')} failed", why=", ".join(failed))


def _finding(text: str, hint: str | None) -> str:
    return text if hint is None else f"{text.removesuffix('.')}. {hint}"
