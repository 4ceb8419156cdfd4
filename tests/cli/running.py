"""Running the command line inside the test's process, and as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

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
