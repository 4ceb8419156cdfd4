"""Fuzz parsers: `python -m tests.fuzz NAME …|--all --seconds N [--engine atheris|hypothesis]`.

`--seconds` is processor time for each parser, run in turns of `--turn` seconds, so that a run that is stopped early has
been fair. Corpora, findings and counts accumulate in `--state`; `--page` writes totals.md from them and runs nothing.
The page names the commits that ran, so commit before a run, and `--forget` a parser's counts when it was changed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path
from typing import Any

from tests.fuzz import totals
from tests.fuzz.registry import MODULES

_STATUS = re.compile(r"cov: (?P<cov>\d+) ft: (?P<ft>\d+) corp: (?P<corp>\d+)")


def main() -> int:
    """Run, add to the totals, and say what was found."""
    # An end by a signal runs through the clean-up, as one by Ctrl+C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = _arguments()
    if asked.page:
        totals.write_page(asked.state)
        return 0
    if asked.forget:
        totals.forget(asked.state, asked.names)
        return 0
    names = list(MODULES) if asked.all else asked.names
    known = totals.cpu_s(asked.state, asked.engine) if asked.in_total else {}
    left = {name: asked.seconds - known.get(name, 0.0) for name in names}
    n_found = 0
    while left := {name: seconds for name, seconds in left.items() if seconds > 0}:
        for name, seconds in left.items():
            turn = min(asked.turn, seconds)
            n_found += _turn(name, asked.engine, turn, asked.state)
            left[name] -= turn
    return 1 if n_found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MODULES], metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--all", action="store_true", help="every parser")
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time for each parser")
    parser.add_argument("--in-total", action="store_true", help="`--seconds` counts what was run before")
    parser.add_argument("--turn", type=float, default=120.0, help="processor time of one turn")
    parser.add_argument("--engine", choices=totals.ENGINES, default="atheris")
    parser.add_argument("--state", type=Path, default=totals.default_state())
    parser.add_argument(
        "--forget", action="store_true", help="drop the counts of parsers that were changed; runs nothing"
    )
    parser.add_argument("--page", action="store_true", help="write totals.md")
    return parser.parse_args()


def _turn(name: str, engine: str, seconds: float, state: Path) -> int:
    """One process of one parser, started again where an input kills it. Gives the number of findings, with deaths."""
    (state / "deaths").mkdir(parents=True, exist_ok=True)
    n_found, spent = 0, 0.0
    while spent < seconds:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            try:
                code, coverage, tail = _run(name, engine, seconds - spent, state, report)
            except BaseException:
                totals.add(state, name, engine, _counts(report), {})
                raise
            counts = _counts(report)
        if code != 0:
            counts["deaths"] = 1
            sys.stdout.write("\n".join([f"{name}: the process ended with {code}", *tail, ""]))
        totals.add(state, name, engine, counts, coverage)
        sys.stdout.write(_told(name, engine, counts, coverage))
        sys.stdout.flush()
        n_found += len(counts.get("findings", {})) + counts.get("deaths", 0)
        spent += max(counts["cpu_s"], 1.0)
        if code != 0 and not counts.get("executions"):
            break  # it does not even start
    return n_found


def _counts(report: Path) -> dict[str, Any]:
    """What a process came to, as far as it said."""
    counts: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {"cpu_s": 0.0}
    return counts


def _told(name: str, engine: str, counts: dict[str, Any], coverage: dict[str, int]) -> str:
    n, read = counts.get("executions", 0), counts.get("read", 0)
    line = f"{name} ({engine}): {n:,} inputs in {counts['cpu_s']:.0f} s of CPU, {read:,} read {coverage or ''}\n"
    return line + "".join(f"  FOUND {key} {text}\n" for key, text in counts.get("findings", {}).items())


def _run(name: str, engine: str, seconds: float, state: Path, report: Path) -> tuple[int, dict[str, int], list[str]]:
    # One arena: each thread would reserve 64 MiB of address space, which is what the bound on memory counts.
    env = {**os.environ, "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.fuzz.engines", engine, name, str(state), f"{seconds:g}", str(report)]
    coverage: dict[str, int] = {}
    tail: deque[str] = deque(maxlen=40)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                text = line.decode("utf-8", "replace").rstrip()
                match = _STATUS.search(text)
                if match is None:
                    tail.append(text)
                else:
                    coverage = {key: int(number) for key, number in match.groupdict().items()}
        except BaseException:
            child.kill()  # else the folder that it works in would be removed under it
            raise
    return child.returncode, coverage, list(tail)


if __name__ == "__main__":
    sys.exit(main())
