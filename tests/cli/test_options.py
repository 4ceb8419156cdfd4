"""Options that belong together reach a command as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from advisor.api import Needs
from advisor.cli.options import constraint_options, gathered, machine_options
from advisor.service import MachineChoice


@dataclass(frozen=True, slots=True)
class Fruit:
    kind: str
    count: int


def called(command: click.Command, *arguments: str) -> dict[str, Any]:
    """What the command was called with."""
    found: Any = CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False).return_value
    return dict(found)


def test_options_that_are_fields_of_a_dataclass_come_as_one_value_and_the_others_as_they_are() -> None:
    @click.command()
    @click.option("--kind", default="apple")
    @click.option("--number", "count", default=1)
    @click.option("--ripe", is_flag=True)
    @gathered("fruit", Fruit)
    def command(**given: Any) -> dict[str, Any]:
        """A command."""
        return given

    assert called(command, "--number", "3", "--ripe") == {"fruit": Fruit("apple", 3), "ripe": True}
    assert command.help == "A command."
    assert [param.name for param in command.params] == ["kind", "count", "ripe"]


def test_needs_and_machine_come_as_the_values_that_the_facade_takes() -> None:
    @click.command()
    @constraint_options
    @machine_options
    def command(**given: Any) -> dict[str, Any]:
        return given

    typed = ("--preset", "coding", "--set", "scale.users=2", "--task-kind", "math", "--ram", "64GiB", "--gpu", "none")
    assert called(command, *typed) == {
        "needs": Needs(None, ("scale.users=2",), {"task.kind": "math"}, "coding"),
        "where": MachineChoice("none", 64 << 30, None),
    }
    assert called(command, "--machine", "box.toml")["where"] == MachineChoice(file=Path("box.toml"))
    assert called(command)["where"].is_here
