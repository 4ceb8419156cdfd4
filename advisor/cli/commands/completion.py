"""`llm-advisor completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from advisor.cli.help import Command
from advisor.cli.main import COMPLETION_VARIABLE, PROGRAM, cli
from advisor.errors import InputError

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that makes a shell complete commands, options and model ids.

    \b
    llm-advisor completion bash >> ~/.bashrc
    llm-advisor completion zsh >> ~/.zshrc
    llm-advisor completion fish > ~/.config/fish/completions/llm-advisor.fish
    llm-advisor completion powershell >> $PROFILE
    """
    made = get_completion_class(shell)
    if made is None:
        raise InputError(f"the installed Click cannot complete in {shell}", hint="Upgrade it: pip install -U click")
    click.echo(made(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
