"""Running the command line inside the test's process, and as a process of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import click
import pytest

from advisor.cli.main import cli as program
from advisor.cli.main import run

SHORT = ("--set", "scale.prompt_tokens=64", "--set", "scale.answer_tokens=64", "--set", "task.context_tokens=1024")
"""Needs whose smoke test takes seconds."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def check_parses(line: str) -> None:
    """That the program takes a line as a shell has it, with its comment, variables and redirection."""
    words = shlex.split(line.partition(">")[0], comments=True)
    while "=" in words[0]:
        words.pop(0)
    assert words.pop(0) == "llm-advisor"
    if not words or words[0].startswith("-"):
        program.make_context("llm-advisor", words)
        return
    name, *rest = words
    command = program.get_command(click.Context(program), name)
    assert command is not None, name
    context = command.make_context(name, rest)
    if isinstance(command, click.Group):
        part, found, arguments = command.resolve_command(context, rest)
        assert found is not None, part
        found.make_context(part, arguments)


class Cli:
    """Calls a command and keeps both streams apart."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        try:
            code = run([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = self._capsys.readouterr()
        return Outcome(int(code), captured.out, captured.err)


def as_process(*arguments: object, stdin: int | None = subprocess.DEVNULL, **options: Any) -> Outcome:
    """The real program with pipes for streams."""
    command = [sys.executable, "-m", "advisor", *map(str, arguments)]
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=120, check=False, **options)
    return Outcome(done.returncode, done.stdout, done.stderr)
