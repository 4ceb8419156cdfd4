"""Rates of one family of processors by ggml type, from published speeds and from `benchmarks.processor_types`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from advisor.domain.hardware import CpuFamily
from advisor.domain.speed.constants import CpuConstants
from advisor.domain.speed.roofline import cpu_decode_s, cpu_prefill_s
from benchmarks.speed_rows import Row
from benchmarks.type_rates import TIMED_TYPES, TypeRate

ALIKE = {
    "F32": "F16",
    "BF16": "F16",
    "Q4_1": "Q4_0",
    "Q5_1": "Q5_0",
    "MXFP4": "IQ4_NL",
    "IQ1_S": "IQ2_XXS",
    "IQ1_M": "IQ2_XXS",
}
"""Types that nobody timed on a family, with the one whose kernel is built alike."""
UNKNOWN_BANDWIDTH = 76.8e9
"""Two channels of DDR5-4800, where no processor that the catalogue does not know was timed."""
ASSUMED_SPREAD = 0.5
"""Of a family with too few processors to leave one out."""
_START_READ = 15e9
_START_FLOPS = 50e9
_SYNC_S = 6e-6
"""Per layer and core: what 52 to 192 threads lose in published runs, where it is all but the whole time."""
_SHARE = 0.6
_STRENGTH = 0.0002
"""Only types that nobody timed stay where they start."""
_PACE_STRENGTH = 0.05
"""Holds the pace of each processor, its cores' speed beside the family's, to 1: the types then are those of a typical
one, and a processor on which few types were timed does not distort the order of the types."""


@dataclass(frozen=True)
class Sample:
    """One published or measured rate of a processor."""

    device: str
    main_type: str
    """The type that most of the bytes have."""
    error: Callable[[CpuConstants], float]
    """Logarithm of the predicted over the true time."""


def decode_samples(rows: Sequence[Row], measured: Sequence[TypeRate]) -> list[Sample]:
    """Published decode rates, and what one core decodes from memory, as the cores of a whole processor do."""
    published = [Sample(row.device, _main_type(row), _decode_error(row)) for row in rows if row.test == "tg"]
    return published + [
        Sample(rate.processor, rate.ggml_type, _read_error(rate))
        for rate in measured
        if rate.place == "memory" and rate.threads == 1
    ]


def prompt_samples(rows: Sequence[Row], measured: Sequence[TypeRate]) -> list[Sample]:
    """The same of prompts."""
    published = [Sample(row.device, _main_type(row), _prompt_error(row)) for row in rows if row.test == "pp"]
    return published + [
        Sample(rate.processor, rate.ggml_type, _flops_error(rate))
        for rate in measured
        if rate.place == "memory" and rate.threads == 1
    ]


@dataclass(frozen=True)
class Attention:
    """What one core does with the cache; published rates, at 64 tokens deep, say nothing about it."""

    decode: float
    """Bytes of the cache in a second, once for each head."""
    prompt: float
    """Operations in a second."""


def measured_attention(measured: Sequence[TypeRate]) -> Attention:
    """The median of the measured processors, whatever their family: both were timed on few."""
    own = [rate for rate in measured if rate.place == "attention"]
    return Attention(median(rate.decode for rate in own), median(rate.prefill for rate in own))


def fit_cpu(
    decode: Sequence[Sample], prompts: Sequence[Sample], attention: Attention, measured: Sequence[TypeRate] = ()
) -> CpuConstants:
    """Constants of a family. The share of bandwidth is fitted together with the rates by type."""
    start = {name: math.log(_START_READ) for name in TIMED_TYPES if _is_timed(name, decode)}
    names = list(start)

    def with_reads(x: Sequence[float], pace: float) -> CpuConstants:
        rates = {name: math.exp(value) * pace for name, value in zip(names, x[:-1], strict=True)}
        return _constants(rates, min(1.0, math.exp(x[-1])), {}, attention)

    x = _minimize([*start.values(), math.log(_SHARE)], decode, with_reads)
    reads = with_reads(x, 1.0)
    names_flops = [name for name in TIMED_TYPES if _is_timed(name, prompts)]

    def with_flops(y: Sequence[float], pace: float) -> CpuConstants:
        rates = {name: math.exp(value) * pace for name, value in zip(names_flops, y, strict=True)}
        return _constants(dict(reads.core_read_bytes_per_s), reads.read_share, rates, attention)

    y = _minimize([math.log(_START_FLOPS)] * len(names_flops), prompts, with_flops)
    found = with_flops(y, 1.0)
    return replace(found, unknown_bandwidth_bytes_per_s=_unknown_bandwidth(measured, found.read_share))


def left_out_errors(samples: Sequence[Sample], fit: Callable[[list[Sample]], CpuConstants]) -> dict[str, list[float]]:
    """By processor: predicted over true rate, less 1, from a fit without it; only types that others tell about."""
    found: dict[str, list[float]] = {}
    for device in dict.fromkeys(sample.device for sample in samples):
        others = [sample for sample in samples if sample.device != device]
        known = {sample.main_type for sample in others}
        own = [sample for sample in samples if sample.device == device and sample.main_type in known]
        if own:
            constants = fit(others)
            found[device] = [math.exp(-sample.error(constants)) - 1 for sample in own]
    return found


def spread_of(errors: Mapping[str, Sequence[float]]) -> float:
    """The error that four in five processors stay below, each by its median."""
    return float(np.quantile([np.median([max(1 + e, 1 / (1 + e)) - 1 for e in own]) for own in errors.values()], 0.8))


def _main_type(row: Row) -> str:
    touched = {name: row.parts.dense.get(name, 0.0) + row.parts.experts.get(name, 0.0) for name in TIMED_TYPES}
    return max(touched, key=lambda name: touched[name])


def _is_timed(name: str, samples: Sequence[Sample]) -> bool:
    """Whether the type has a parameter of its own: minor types of a mixture, too, as long as nothing stands in."""
    return name not in ALIKE or any(sample.main_type == name for sample in samples)


def _decode_error(row: Row) -> Callable[[CpuConstants], float]:
    def error(own: CpuConstants) -> float:
        seconds = sum(cpu_decode_s(row.parts, work, row.shape, own, []) for work in row.works)
        return math.log(seconds / row.seconds)

    return error


def _prompt_error(row: Row) -> Callable[[CpuConstants], float]:
    def error(own: CpuConstants) -> float:
        seconds = sum(cpu_prefill_s(row.parts, work, row.shape, own, row.prompt) for work in row.works)
        return math.log(seconds / row.n_tokens / row.seconds)

    return error


def _read_error(rate: TypeRate) -> Callable[[CpuConstants], float]:
    return lambda own: math.log(rate.decode / own.core_read_bytes_per_s[rate.ggml_type])


def _flops_error(rate: TypeRate) -> Callable[[CpuConstants], float]:
    return lambda own: math.log(rate.prefill / own.core_flops[rate.ggml_type])


def _unknown_bandwidth(measured: Sequence[TypeRate], share: float) -> float:
    """Measured processors are those whose bandwidth the catalogue does not know: what all their cores reach."""
    peaks: dict[str, float] = {}
    for rate in measured:
        if rate.place == "memory" and rate.threads > 1:
            peaks[rate.processor] = max(peaks.get(rate.processor, 0.0), rate.decode)
    return float(np.median(list(peaks.values()))) / share if peaks else UNKNOWN_BANDWIDTH


def _constants(reads: dict[str, float], share: float, flops: dict[str, float], attention: Attention) -> CpuConstants:
    for name, other in ALIKE.items():
        reads.setdefault(name, reads[other])
        if flops:
            flops.setdefault(name, flops[other])
    return CpuConstants(
        share, UNKNOWN_BANDWIDTH, reads, flops, attention.decode, _SYNC_S, attention.prompt, ASSUMED_SPREAD
    )


def _minimize(
    start: Sequence[float], samples: Sequence[Sample], build: Callable[[Sequence[float], float], CpuConstants]
) -> list[float]:
    """Robust least squares with numeric slopes; each device weighs by the root of its number of samples.

    Behind the parameters of `start` stand the logarithms of the devices' paces.
    """
    counts = Counter(sample.device for sample in samples)
    devices = list(counts)
    weight = np.array([counts[sample.device] ** -0.5 for sample in samples])
    strength = np.array([_STRENGTH] * len(start) + [_PACE_STRENGTH] * len(devices))
    origin = x = np.array([*start, *(0.0 for _ in devices)])

    def errors(at: Sequence[float]) -> np.ndarray:
        paces = np.exp(at[len(start) :])
        own = {name: build(at[: len(start)], float(pace)) for name, pace in zip(devices, paces, strict=True)}
        return np.array([sample.error(own[sample.device]) for sample in samples])

    for _ in range(40):
        base = errors(list(x))
        slope = np.empty((len(base), len(x)))
        for i in range(len(x)):
            moved = x.copy()
            moved[i] += 1e-4
            slope[:, i] = (errors(list(moved)) - base) / 1e-4
        pull = weight / np.sqrt(1 + (base / 0.1) ** 2)
        normal = slope.T @ (pull[:, None] * slope) + np.diag(strength)
        step = np.clip(np.linalg.solve(normal, -(slope.T @ (pull * base) + strength * (x - origin))), -0.4, 0.4)
        x = x + step
        if np.abs(step).max() < 1e-4:
            break
    return [float(v) for v in x[: len(start)]]


def family_of(rate: TypeRate) -> CpuFamily:
    """By the instruction sets, of which x86 has AVX."""
    return "x86" if any(name.startswith("avx") for name in rate.instruction_sets) else "arm"
