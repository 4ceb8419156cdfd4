"""The first picture of other tools' screens beside ours, in one pseudo-terminal of 120 by 36, alone on the machine:
`python -m benchmarks.rival_screens BIN`, with the directory of programs of an environment that has them
(`pip install llmfit llamafit`). Nothing of theirs is read but what they draw.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.screens import OURS, Terminal, own_directories

STARTS = 5


@dataclass(frozen=True, slots=True)
class Program:
    """What is started, and by which words its pictures are known."""

    name: str
    command: Sequence[str]
    painted: str
    """Drawn with the first picture."""
    ranked: str
    """Drawn with the first ranking."""
    keys: str = ""
    """That lead from the first picture to the ranking."""


def programs(folder: Path) -> list[Program]:
    """Ours, and those of the others that are there."""
    others = [
        Program("llmfit", (str(folder / "llmfit"),), "Loading", "tok/s"),
        Program("llamafit", (str(folder / "llamafit"),), "Board", "Adds"),
    ]
    ours = Program("llm-advisor", OURS, "Enter: picks", "rank 1 of", "3")
    return [ours, *(program for program in others if Path(program.command[0]).exists())]


def measure(program: Program) -> tuple[float, float, float]:
    """Seconds to the first picture and to the first ranking, and MB with all children then."""
    terminal = Terminal(program.command)
    painted = terminal.wait_for(program.painted, 60) - terminal.started
    if program.keys:
        terminal.process.send(program.keys)
    ranked = terminal.wait_for(program.ranked, 60) - terminal.started
    memory = terminal.whole_memory_mb()
    terminal.close()
    return painted, ranked, memory


def main() -> int:
    """Print the table."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    lines = ["| program | first picture, s | first ranking, s | memory, MB |", "| --- | --- | --- | --- |"]
    with own_directories(), tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        for program in programs(Path(sys.argv[1])):
            runs = [measure(program) for _ in range(STARTS + 1)][1:]
            painted, ranked, memory = (median(column) for column in zip(*runs, strict=True))
            lines.append(f"| {program.name} | {painted:.2f} | {ranked:.2f} | {memory:.0f} |")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
