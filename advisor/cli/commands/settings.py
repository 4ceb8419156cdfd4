"""`llm-advisor settings`."""

from __future__ import annotations

import click

from advisor.cli import output, screens
from advisor.cli.help import Command
from advisor.cli.options import output_options
from advisor.files import is_file
from advisor.settings import config_file, load_settings


@click.command("settings", cls=Command)
@output_options
def command(as_json: bool, plain: bool) -> None:
    """Where the settings of the screens are, and what they say.

    `theme` is advisor, advisor-light, advisor-contrast, okabe-ito or one of Textual's own; `ascii = true` draws with
    ASCII characters only; the table `keys` gives other keys to commands, as `"measure.best" = "f6"`. docs/keys.md
    lists them.

    \b
    llm-advisor settings
    llm-advisor settings --json
    """
    file, settings = config_file(), load_settings()
    if screens.checking is not None and (settings.theme is not None or settings.keys):
        screens.checking(settings)
    if as_json:
        output.emit_json(
            {
                "file": str(file),
                "exists": is_file(file),
                "theme": settings.theme,
                "ascii": settings.ascii,
                "keys": dict(settings.keys),
            }
        )
        return
    facts = [
        ("file", f"{file}{'' if is_file(file) else ' (not there: defaults hold)'}"),
        ("theme", settings.theme or "the one chosen last in the screens"),
        ("ascii", "yes" if settings.ascii else "no"),
        *((f"keys.{name}", keys) for name, keys in settings.keys.items()),
    ]
    output.emit_facts(facts, plain=plain)
