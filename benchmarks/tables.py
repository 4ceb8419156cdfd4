"""Tables of errors, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.speed_rows import Row

Formula = Callable[[Row], float]


def error_table(title: str, rows: Sequence[Row], ours: Sequence[float], peers: Mapping[str, Formula]) -> str:
    """Errors of all formulas on the same rows; ours are made without the row's device."""
    n_devices = len({row.device for row in rows})
    lines = [
        f"### {title}: {len(rows)} published rates on {n_devices} GPUs\n",
        "| formula | median error | mean error | within 25 % | median of the GPUs' medians |",
        "| --- | --- | --- | --- | --- |",
        _line("this program, every GPU left out in turn", rows, ours),
    ]
    lines += [_line(name, rows, [formula(row) for row in rows]) for name, formula in peers.items()]
    return "\n".join(lines) + "\n"


def _line(name: str, rows: Sequence[Row], rates: Sequence[float]) -> str:
    errors = _errors(rows, rates)
    known = errors[~np.isnan(errors)]
    medians = [float(np.median(values)) for values in _grouped(rows, errors).values()]
    return (
        f"| {name} | {np.median(known):.1%} | {known.mean():.1%} | {(known < 0.25).mean():.0%} "
        f"| {np.median(medians):.1%} |"
    )


def depth_table(rows: Sequence[Row], ours: Sequence[float], peers: Mapping[str, Formula]) -> str:
    """The longest run of decode rates over depth: one card, one model, one build."""
    chosen = [
        (row, rate)
        for row, rate in zip(rows, ours, strict=True)
        if row.device == "RTX 4080" and row.backend == "cuda" and row.era == "new" and row.depth_tokens % 5120 == 0
    ]
    lines = [
        "### depth: RTX 4080, Llama 3.1 8B Q4_0, CUDA\n",
        "| tokens in the cache | published | this program, without that GPU | " + " | ".join(peers) + " |",
        "| --- | --- | --- |" + " --- |" * len(peers),
    ]
    for row, rate in sorted(chosen, key=lambda pair: pair[0].depth_tokens):
        others = " | ".join(f"{formula(row):.0f}" for formula in peers.values())
        lines.append(f"| {row.depth_tokens:,} | {row.tokens_per_s:.0f} | {rate:.0f} | {others} |")
    return "\n".join(lines) + "\n"


def calibration_line(rows: Sequence[Row], ours: Sequence[float]) -> str:
    """How far a rate is off when another model or quantization on the same device has calibrated the estimate."""
    found: dict[tuple[str, str, str, int], dict[tuple[str, str], list[float]]] = {}
    for row, rate in zip(rows, ours, strict=True):
        place = (row.device, row.backend, row.era, row.n_gpus)
        one = found.setdefault(place, {}).setdefault((row.model, row.quantization), [])
        one.append(float(np.log(rate / row.tokens_per_s)))
    errors = []
    for candidates in found.values():
        middles = [float(np.median(values)) for values in candidates.values()]
        errors += [abs(np.exp(a - b) - 1) for i, a in enumerate(middles) for j, b in enumerate(middles) if i != j]
    half, most = np.median(errors), np.quantile(errors, 0.8)
    return (
        "### calibrated by another model on the same device\n\n"
        f"{len(errors)} pairs of candidates: median error of decoding {half:.1%}, four in five within {most:.1%}.\n"
    )


def by_device(rows: Sequence[Row], ours: Sequence[float]) -> str:
    """Signed and absolute errors of each device, when it is left out."""
    lines = [
        "### decode, GPU by GPU, each left out of the fit that predicts it\n",
        "| GPU | back end | rates | median deviation | median error |",
        "| --- | --- | --- | --- | --- |",
    ]
    signed = np.array([rate / row.tokens_per_s - 1 for row, rate in zip(rows, ours, strict=True)])
    for (device, backend), values in sorted(_grouped(rows, signed).items()):
        middle, error = np.median(values), np.median(np.abs(values))
        lines.append(f"| {device} | {backend} | {len(values)} | {middle:+.0%} | {error:.0%} |")
    return "\n".join(lines) + "\n"


def _errors(rows: Sequence[Row], rates: Sequence[float]) -> np.ndarray:
    return np.array([abs(rate / row.tokens_per_s - 1) for row, rate in zip(rows, rates, strict=True)])


def _grouped(rows: Sequence[Row], errors: np.ndarray) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for row, error in zip(rows, errors, strict=True):
        if not np.isnan(error):
            found.setdefault((row.device, row.backend), []).append(float(error))
    return found
