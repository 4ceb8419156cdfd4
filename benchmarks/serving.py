"""Predicted against published serving throughput, and the constants in knowledge/serving.toml.

Run it from the repository: `python -m benchmarks.serving`, with `--check` to write nothing. Every row is predicted
by the simulation that plans use, with constants fitted without the row's GPU, or without its model on the back end
with one GPU.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from advisor.catalog.sealed import write_seal
from advisor.domain.capacity.engines import BatchConstants
from advisor.files import write_atomically
from benchmarks.serving_fit import ServingFit, fit, predicted_tokens_per_s, spread
from benchmarks.serving_rows import ServingRow, read_serving_rows
from benchmarks.shared import say
from benchmarks.speed_rows import KNOWLEDGE

FILE = KNOWLEDGE / "serving.toml"
Predicted = list[tuple[ServingRow, float]]
_STAND_IN = {"TensorRT-LLM 1.0": "TensorRT-LLM"}
"""Rows of an engine that no row is fitted to, predicted with the constants of its predecessor."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, print the tables, and write the constants unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    rows, reasons = read_serving_rows()
    fitted = fit(rows)
    predicted, too_large = predict(rows, fitted)
    say(summary(predicted))
    say(groups(predicted))
    say(left_out(reasons, too_large))
    say(details(predicted))
    if not options.check:
        for backend in ("cuda", "rocm"):
            errors = np.array([_error(r, p) for r, p in predicted if r.engine == "vLLM" and r.spec.backend == backend])
            _write(backend, fitted.constants("vLLM", backend), spread(errors))
        write_seal(KNOWLEDGE)
    return 0


def predict(rows: Sequence[ServingRow], fitted: ServingFit) -> tuple[Predicted, list[ServingRow]]:
    """Every row's throughput without its group, and the rows whose model does not fit."""
    constants: dict[tuple[str, str, str], BatchConstants] = {}
    predicted: Predicted = []
    too_large = []
    for row in rows:
        engine = _STAND_IN.get(row.engine, row.engine)
        key = (engine, row.spec.backend, row.held_out_with.replace(row.engine, engine, 1))
        if key not in constants:
            constants[key] = fitted.constants(*key)
        found = predicted_tokens_per_s(row, constants[key])
        if found is None:
            too_large.append(row)
        else:
            predicted.append((row, found))
    return predicted, too_large


def summary(predicted: Predicted) -> str:
    """Errors by engine and back end."""
    lines = [
        "### published serving throughput, each row predicted without its GPU (on ROCm: without its model)\n",
        "| engine | back end | rows | median error | mean error | within 25 % |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    kinds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row, found in predicted:
        kinds[row.engine, row.spec.backend].append(abs(_error(row, found)))
        kinds["all", "all"].append(abs(_error(row, found)))
    for (engine, backend), errors in sorted(kinds.items()):
        within = np.mean(np.array(errors) < 0.25)
        mean, median = np.mean(errors), np.median(errors)
        lines.append(f"| {engine} | {backend} | {len(errors)} | {median:.1%} | {mean:.1%} | {within:.0%} |")
    return "\n".join(lines) + "\n"


def groups(predicted: Predicted) -> str:
    """Errors by model and GPUs."""
    lines = [
        "### by model and GPUs\n",
        "| engine, model, GPUs | rows | median deviation | median error |",
        "| --- | --- | --- | --- |",
    ]
    found: dict[str, list[float]] = defaultdict(list)
    for row, rate in predicted:
        found[row.name].append(_error(row, rate))
    for name, errors in sorted(found.items()):
        lines.append(f"| {name} | {len(errors)} | {np.median(errors):+.0%} | {np.median(np.abs(errors)):.0%} |")
    return "\n".join(lines) + "\n"


def left_out(reasons: Counter[str], too_large: Sequence[ServingRow]) -> str:
    """Rows without a prediction, with the reason."""
    lines = ["### left out\n", "| rows | reason |", "| --- | --- |"]
    lines += [f"| {count} | {reason} |" for reason, count in sorted(reasons.items())]
    lines += [f"| {count} | {name}: no room for one request beside the weights |" for name, count in
              sorted(Counter(row.name for row in too_large).items())]  # fmt: skip
    return "\n".join(lines) + "\n"


def details(predicted: Predicted) -> str:
    """Every row."""
    lines = [
        "### every row, answer tokens per second\n",
        "| engine, model, GPUs | prompt | answer | requests | published | predicted | deviation |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    order = sorted(
        predicted, key=lambda pair: (pair[0].name, pair[0].prompt_tokens, pair[0].answer_tokens, pair[0].batch)
    )
    for row, rate in order:
        lines.append(
            f"| {row.name} | {row.prompt_tokens:,} | {row.answer_tokens:,} | {row.batch:,} | {row.tokens_per_s:,.0f} "
            f"| {rate:,.0f} | {_error(row, rate):+.0%} |"
        )
    return "\n".join(lines) + "\n"


def _error(row: ServingRow, rate: float) -> float:
    return rate / row.tokens_per_s - 1


def _write(backend: str, own: BatchConstants, share: float) -> None:
    """Put the constants of a back end into their table of the file, which holds more than constants."""
    lines = [f"{key} = {getattr(own, key):.3g}" for key in ("read", "kv_read", "kv_reread", "compute", "prefill")]
    lines += [f"{key} = {getattr(own, key):.3g}" for key in ("layer_s", "step_s", "all_reduce_s")]
    table = f"[vllm.by_backend.{backend}]\n" + "\n".join([*lines, f"throughput_spread = {share:.3g}"]) + "\n"
    text = FILE.read_text("utf-8")
    pattern = rf"\[vllm\.by_backend\.{backend}\]\n(?:[a-z_]+ = .*\n)*"
    write_atomically(FILE, re.sub(pattern, lambda _: table, text), overwrite=True)


if __name__ == "__main__":
    sys.exit(main())
