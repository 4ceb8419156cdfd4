"""The families of processors: each fitted whole, and with every processor left out where there are enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.domain.hardware import CpuFamily
from advisor.domain.speed.constants import CpuConstants
from benchmarks.cpu_rates import (
    Attention,
    Sample,
    decode_samples,
    family_of,
    fit_cpu,
    left_out_errors,
    measured_attention,
    prompt_samples,
    spread_of,
)
from benchmarks.speed_rows import Row
from benchmarks.type_rates import TypeRate, read_type_rates

LEAST_PROCESSORS = 3
"""Fewer say nothing about one that is left out."""

Errors = Mapping[str, Sequence[float]]
"""By processor: predicted over true rate, less 1."""


@dataclass(frozen=True)
class CpuFit:
    """One family."""

    constants: CpuConstants
    in_sample: Errors
    decode: Errors
    """Every processor left out in turn; empty where there are too few."""
    prompts: Errors


def fit_families(rows: Sequence[Row]) -> dict[CpuFamily, CpuFit]:
    """The families that have kernels of their own."""
    measured = read_type_rates()
    attention = measured_attention(measured)
    families: tuple[CpuFamily, ...] = ("arm", "x86")
    return {
        family: _fit(
            [row for row in rows if row.family == family],
            [rate for rate in measured if family_of(rate) == family],
            attention,
        )
        for family in families
    }


def _fit(rows: Sequence[Row], measured: Sequence[TypeRate], attention: Attention) -> CpuFit:
    decode, prompts = decode_samples(rows, measured), prompt_samples(rows, measured)
    constants = fit_cpu(decode, prompts, attention, measured)
    left_out = _left_out(decode, lambda others: fit_cpu(others, prompts, attention))
    if left_out:
        constants = replace(constants, decode_spread=spread_of(left_out))
    return CpuFit(
        constants=constants,
        in_sample=_by_device(decode, constants),
        decode=left_out,
        prompts=_left_out(prompts, lambda others: fit_cpu(decode, others, attention)),
    )


def _left_out(samples: list[Sample], fit: Callable[[list[Sample]], CpuConstants]) -> Errors:
    if len({sample.device for sample in samples}) < LEAST_PROCESSORS:
        return {}
    return left_out_errors(samples, fit)


def _by_device(samples: Sequence[Sample], constants: CpuConstants) -> Errors:
    found: dict[str, list[float]] = {}
    for sample in samples:
        found.setdefault(sample.device, []).append(float(np.exp(-sample.error(constants)) - 1))
    return found


def processor_tables(fits: Mapping[CpuFamily, CpuFit]) -> str:
    """What each family's rates rest on, and how far off they are for a processor that is left out."""
    parts = ["### processors\n"]
    for family, fit in fits.items():
        errors = [abs(error) for own in fit.in_sample.values() for error in own]
        n_devices = len(fit.in_sample)
        parts.append(
            f"{family}: {len(errors)} decode rates of {n_devices} processors, "
            f"median error in the sample {np.median(errors):.1%}.\n"
        )
        for what, left_out in (("decode", fit.decode), ("prompt", fit.prompts)):
            if left_out:
                parts.append(_table(f"{family}, {what}, each processor left out of the fit that predicts it", left_out))
            else:
                parts.append(f"{family}, {what}: fewer than {LEAST_PROCESSORS} processors, so none is left out.\n")
    return "\n".join(parts)


def _table(title: str, errors: Errors) -> str:
    """`after one rate` is what remains when the middle of the processor's own errors is known, as by a measurement."""
    lines = [
        f"#### {title}\n",
        "| processor | rates | median deviation | median error | after one rate |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, own in errors.items():
        middle = np.median(own)
        rest = np.median(np.abs((1 + np.array(own)) / (1 + middle) - 1))
        cells = (f"{middle:+.0%}", f"{np.median(np.abs(own)):.0%}", f"{rest:.0%}" if len(own) > 2 else "")
        lines.append(f"| {name} | {len(own)} | " + " | ".join(cells) + " |")
    medians = [np.median(np.abs(own)) for own in errors.values()]
    lines.append(f"| median of the processors | | | {np.median(medians):.0%} | |")
    return "\n".join(lines) + "\n"
