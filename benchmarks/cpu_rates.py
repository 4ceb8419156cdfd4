"""Rates of processors by ggml type, from published and local speeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from advisor.domain.speed.constants import CpuConstants
from advisor.domain.speed.roofline import cpu_decode_s, cpu_prefill_s
from benchmarks.speed_rows import Row

ALIKE = {
    "F32": ("F16", 1.0),
    "BF16": ("F16", 1.0),
    "Q4_1": ("Q4_0", 1.0),
    "Q5_1": ("Q5_0", 1.0),
    "MXFP4": ("IQ4_NL", 1.0),
    "IQ1_S": ("IQ2_XXS", 1.0),
    "IQ1_M": ("IQ2_XXS", 1.0),
}
"""Types that nobody timed, with the one whose kernel is built alike and the factor in bytes."""
_TYPES = (
    *("F16", "Q8_0", "Q4_0", "Q5_0", "Q4_K", "Q5_K", "Q6_K", "Q3_K", "Q2_K"),
    *("IQ4_NL", "IQ4_XS", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS"),
)
_START_READ = 15e9
_START_FLOPS = 50e9
_SYNC_S = 6e-6
"""Per layer and core: what 52 to 192 threads lose in published runs, where it is all but the whole time."""
_SHARE = 0.6
_STRENGTH = 0.005
UNKNOWN_BANDWIDTH = 76.8e9
"""Two channels of DDR5-4800, the slowest memory of that generation."""


def fit_cpu(rows: Sequence[Row]) -> CpuConstants:
    """Constants of the processor. The share of bandwidth is fitted together with the rates by type."""
    decode = [row for row in rows if row.test == "tg"]
    prompts = [row for row in rows if row.test == "pp"]
    names = _TYPES
    start = [math.log(_START_READ)] * len(names) + [math.log(_SHARE)]

    def with_reads(x: Sequence[float]) -> CpuConstants:
        return _constants(dict(zip(names, map(math.exp, x[:-1]), strict=True)), min(1.0, math.exp(x[-1])), {})

    x = _minimize(start, lambda y: [_decode_error(row, with_reads(y)) for row in decode], decode)
    reads = with_reads(x)
    flops_start = [math.log(_START_FLOPS)] * len(names)

    def with_flops(y: Sequence[float]) -> CpuConstants:
        rates = dict(zip(names, map(math.exp, y), strict=True))
        return _constants(dict(reads.core_read_bytes_per_s), reads.read_share, rates)

    y = _minimize(flops_start, lambda z: [_prompt_error(row, with_flops(z)) for row in prompts], prompts)
    return with_flops(y)


def decode_errors(rows: Sequence[Row], constants: CpuConstants) -> list[float]:
    """Predicted rate over published rate, less 1, of each decode row."""
    return [math.exp(-_decode_error(row, constants)) - 1 for row in rows if row.test == "tg"]


def prompt_errors(rows: Sequence[Row], constants: CpuConstants) -> list[float]:
    """The same of prompt rows."""
    return [math.exp(-_prompt_error(row, constants)) - 1 for row in rows if row.test == "pp"]


def _decode_error(row: Row, own: CpuConstants) -> float:
    seconds = sum(cpu_decode_s(row.parts, work, row.shape, own, []) for work in row.works)
    return math.log(seconds / row.seconds)


def _prompt_error(row: Row, own: CpuConstants) -> float:
    seconds = sum(cpu_prefill_s(row.parts, work, row.shape, own, row.prompt) for work in row.works)
    return math.log(seconds / row.n_tokens / row.seconds)


def _constants(reads: dict[str, float], share: float, flops: dict[str, float]) -> CpuConstants:
    for name, (other, factor) in ALIKE.items():
        reads[name] = reads[other] * factor
        if flops:
            flops[name] = flops[other]
    attention = flops.get("F16", _START_FLOPS)
    return CpuConstants(share, UNKNOWN_BANDWIDTH, reads, flops, _SYNC_S, attention, 0.5)


def _minimize(
    start: Sequence[float], errors: Callable[[Sequence[float]], list[float]], rows: Sequence[Row]
) -> list[float]:
    """Robust least squares with numeric slopes; each device weighs by the root of its number of rows."""
    counts = {row.device: sum(other.device == row.device for other in rows) for row in rows}
    weight = np.array([counts[row.device] ** -0.5 for row in rows])
    origin = x = np.array(start)
    for _ in range(40):
        base = np.array(errors(list(x)))
        slope = np.empty((len(base), len(x)))
        for i in range(len(x)):
            moved = x.copy()
            moved[i] += 1e-4
            slope[:, i] = (np.array(errors(list(moved))) - base) / 1e-4
        pull = weight / np.sqrt(1 + (base / 0.1) ** 2)
        normal = slope.T @ (pull[:, None] * slope) + _STRENGTH * np.eye(len(x))
        step = np.clip(np.linalg.solve(normal, -(slope.T @ (pull * base) + _STRENGTH * (x - origin))), -0.4, 0.4)
        x = x + step
        if np.abs(step).max() < 1e-4:
            break
    return [float(v) for v in x]
