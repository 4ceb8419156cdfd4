"""Fit the constants of the speed estimates and write knowledge/speed.toml; see benchmarks/README.md.

Run it from the repository: `python -m benchmarks.fit_speed`, with `--check` to write nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np

from advisor.catalog.sealed import write_seal
from advisor.files import write_atomically
from benchmarks.cpu_families import fit_families, processor_tables
from benchmarks.gpu_terms import UNKNOWN_FLOPS_PER_BYTE, decode_terms, prefill_terms, prior
from benchmarks.least_squares import Array, Problem, Term
from benchmarks.peers import DECODE, PROMPT
from benchmarks.shared import say
from benchmarks.speed_file import GpuFit, speed_toml
from benchmarks.speed_rows import KNOWLEDGE, Row, left_out_reasons, read_rows
from benchmarks.spill import spill_table
from benchmarks.tables import by_device, calibration_line, depth_table, error_table

PIPELINING = 0.8
"""The best of 0.6, 0.7, 0.8 and 1.0 for prompts on several GPUs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, print the tables, and write the constants unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    rows = read_rows()
    gpu_rows = [row for row in rows if row.backend != "cpu"]
    decode = _Fit([row for row in gpu_rows if row.test == "tg"], [])
    prompts = _Fit([row for row in gpu_rows if row.test == "pp"], [PIPELINING])
    processors = fit_families([row for row in rows if row.backend == "cpu"])
    say(error_table("decode", decode.rows, decode.left_out_rates(), DECODE))
    say(error_table("prompt", prompts.rows, prompts.left_out_rates(), PROMPT))
    say(depth_table(decode.rows, decode.left_out_rates(), DECODE))
    say(calibration_line(decode.rows, decode.left_out_rates()))
    say(by_device(decode.rows, decode.left_out_rates()))
    say(processor_tables(processors))
    say(left_out_table())
    if not options.check:
        fits = GpuFit(decode.parameters(), prompts.parameters(), decode.spreads(), PIPELINING, UNKNOWN_FLOPS_PER_BYTE)
        text = speed_toml(fits, {family: found.constants for family, found in processors.items()})
        write_atomically(KNOWLEDGE / "speed.toml", text, overwrite=True)
        write_seal(KNOWLEDGE)
    say(spill_table())
    return 0


class _Fit:
    """One kind of rows, fitted whole and with every device left out."""

    def __init__(self, rows: list[Row], arguments: list[float]) -> None:
        self.rows = rows
        terms: list[list[Term]] = [prefill_terms(r, *arguments) if arguments else decode_terms(r) for r in rows]
        counts = Counter((row.device, row.backend) for row in rows)
        names = {name for row in terms for term in row for name in term.parameters}
        self.problem = Problem(
            terms,
            [row.seconds for row in rows],
            # Rows of one device resemble each other: ten of them are no ten observations.
            [counts[row.device, row.backend] ** -0.75 for row in rows],
            {name: prior(name) for name in names},
        )
        self._left_out: Array = self.problem.leave_out([row.device for row in rows])

    def left_out_rates(self) -> list[float]:
        """Tokens per second of every row, predicted without its device."""
        return [1.0 / float(seconds) for seconds in self._left_out]

    def parameters(self) -> dict[str, float]:
        """All parameters, from all rows."""
        return dict(zip(self.problem.names, np.exp(self.problem.fit()).tolist(), strict=True))

    def spreads(self) -> dict[str, float]:
        """By back end, the error that four in five rows stay below when their device is left out; devices alike."""
        found: dict[str, float] = {}
        for backend in sorted({row.backend for row in self.rows}):
            errors: dict[str, list[float]] = {}
            for row, rate in zip(self.rows, self.left_out_rates(), strict=True):
                if row.backend == backend:
                    errors.setdefault(row.device, []).append(max(rate * row.seconds, 1 / (rate * row.seconds)) - 1)
            typical = [float(np.median(values)) for values in errors.values()]
            found[backend] = float(np.quantile(typical, 0.8))
        return found


def left_out_table() -> str:
    """Rows that are not used, by the reason that stands in their file."""
    counts = sorted(left_out_reasons().items(), key=lambda pair: (-pair[1], pair[0]))
    lines = ["### rows left out\n", "| rows | reason |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {n} | {reason} |" for reason, n in counts)]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
