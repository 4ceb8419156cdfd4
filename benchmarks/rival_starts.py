"""A recommendation by a cold process, ours and other tools' in turn, alone on the machine:
`python -m benchmarks.rival_starts BIN`, with the directory of programs of an environment that has them
(`pip install llmfit llamafit`). Each ranks its whole catalogue for this machine. Nothing of theirs is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.screens import OURS, own_directories
from benchmarks.shared import say

ROUNDS = 11


def main(arguments: list[str]) -> int:
    """Print medians, and the median of each round's ratio to ours; 2 where no directory is given."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    commands = _commands(Path(arguments[0]))
    with own_directories(), tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        rounds = [{name: _seconds(command) for name, command in commands.items()} for _ in range(ROUNDS + 1)][1:]
    say("| recommend, cold process | median, s | beside ours |\n| --- | --- | --- |")
    for name in commands:
        share = median(times[name] / times["llm-advisor"] for times in rounds)
        say(f"| {name} | {median(times[name] for times in rounds):.2f} | {share:.2f} |")
    return 0


def _commands(folder: Path) -> dict[str, Sequence[str]]:
    others = {
        "llmfit": (str(folder / "llmfit"), "recommend", "--json", "-n", "5"),
        "llamafit": (str(folder / "llamafit"), "recommend"),
    }
    there = {name: command for name, command in others.items() if Path(command[0]).exists()}
    return {"llm-advisor": (*OURS, "recommend", "--json"), **there}


def _seconds(command: Sequence[str]) -> float:
    started = perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
