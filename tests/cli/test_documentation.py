"""The manual is the program's, and its examples are commands that it takes."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from advisor.cli.help import split_help
from advisor.cli.main import COMMANDS, cli
from docs.generate import PLACE, cli_text
from tests.cli.running import check_parses


def examples(command: click.Command) -> Iterator[str]:
    """The example lines of a command's help."""
    yield from split_help(command.help or "")[1]
    if isinstance(command, click.Group):
        for part in command.commands.values():
            yield from examples(part)


def every_example() -> list[str]:
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found += list(examples(command))
    return found


def test_the_manual_is_up_to_date() -> None:
    assert PLACE.read_text("utf-8") == cli_text(), "run: python -m docs.generate"


@pytest.mark.parametrize("line", every_example())
def test_an_example_of_the_help_parses(line: str) -> None:
    check_parses(line)
