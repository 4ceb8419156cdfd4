"""This checkout against another one, in turn: `python -m benchmarks.beside TREE [starts]`, alone on the machine.

A machine is faster in one minute than in the next, so what two states of the program take is only comparable where
they take turns. `starts` times cold processes alone, run by run; without it each tree measures every budget by its own
`benchmarks.budgets`, ROUNDS times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.budgets import ROOT, time_text
from benchmarks.shared import say

ROUNDS = 1
STARTS = 9
COMMANDS = (["recommend", "--json"], ["probe", "--json"], ["presets", "--json"])


def main(arguments: list[str]) -> int:
    """Print medians and the ratio of this tree to the other; 2 for a folder that is no checkout."""
    if not arguments or not (Path(arguments[0]) / "advisor").is_dir():
        sys.stderr.write(f"{__doc__}\n")
        return 2
    other = Path(arguments[0]).resolve()
    found = starts(other) if "starts" in arguments else budgets(other)
    say("| what | there | here | here / there |\n| --- | --- | --- | --- |")
    for what, pairs in found.items():
        there, here = (median(times) for times in zip(*pairs, strict=True))
        ratio = median(ours / theirs for theirs, ours in pairs)
        say(f"| {what} | {time_text(there)} | {time_text(here)} | {ratio:.2f} |")
    return 0


def starts(other: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds of cold processes, there and here."""
    found = {}
    for command in COMMANDS:
        for tree in (other, ROOT):
            _start(tree, command)  # compiles, and fills the cache of what llama.cpp says of itself
        found[" ".join(command)] = [(_start(other, command), _start(ROOT, command)) for _ in range(STARTS)]
    return found


def budgets(other: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds of every budget, there and here."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        theirs, ours = _budgets(other), _budgets(ROOT)
        for what in [what for what in ours if what in theirs]:
            found.setdefault(what, []).append((theirs[what], ours[what]))
    return found


def _budgets(tree: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.budgets", "--seconds"]
    done = subprocess.run(command, cwd=tree, env=_environment(tree), check=True, capture_output=True)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _start(tree: Path, command: list[str]) -> float:
    started = perf_counter()
    line = [sys.executable, "-m", "advisor", *command]
    subprocess.run(line, env=_environment(tree), cwd=tree, check=True, capture_output=True)
    return perf_counter() - started


def _environment(tree: Path) -> dict[str, str]:
    """Each tree has a cache of its own: two that ask llama.cpp differently would empty each other's."""
    cache = Path(tempfile.gettempdir()) / "llm-advisor-beside" / sha256(str(tree).encode()).hexdigest()[:16]
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(tree), "LLM_ADVISOR_CACHE_DIR": str(cache)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
