"""Decode and prompt formulas of other tools, on the same rows.

Restated from their public sources: llmfit 1.1.10 (models.rs, fit.rs), whichllm 0.5.21 (performance.py), llamafit 0.1.1
(speed/). Where a formula says nothing about a file type, the nearest it names is taken. All are for machines on which
they were not calibrated.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.speed_rows import Row

_LLMFIT_WEIGHT = {"F16": 2.0, "BF16": 2.0, "Q8_0": 1.0, "Q2_K": 0.25, "Q2_K_S": 0.25}
_WHICHLLM_EFFICIENCY = {"F16": 0.40, "BF16": 0.40, "Q8_0": 0.45, "Q2_K": 0.45, "Q2_K_S": 0.45}
_WHICHLLM_VENDOR = {"nvidia": 1.0, "apple": 0.82, "amd": 0.78, "intel": 0.65}


def llmfit(row: Row) -> float:
    """Tokens per second: bandwidth over parameters, whatever the depth."""
    per_weight = _LLMFIT_WEIGHT.get(row.quantization, 0.5)
    mode = 0.9 if row.n_gpus > 1 else 0.8 if row.shape.experts else 1.0
    return _bandwidth(row) / (row.weights.n_elements * _active(row) * per_weight) * 0.55 * mode


def whichllm(row: Row) -> float:
    """Tokens per second: bandwidth over the file's bytes, times an efficiency by file type and by vendor."""
    efficiency = _WHICHLLM_EFFICIENCY.get(row.quantization, 0.55)
    vendor = _WHICHLLM_VENDOR[row.spec.vendor] if row.spec else 1.0
    return _bandwidth(row) / (row.weights.total_bytes * _active(row)) * efficiency * vendor


def llamafit(row: Row) -> float:
    """Tokens per second: bytes in video memory at 67 % of the bandwidth and a millisecond, cache included."""
    held = row.weights.total_bytes * _active(row) - (0 if row.weights.is_tied else row.weights.token_embd_bytes)
    cache = sum(work.kv_bytes for work in row.works)
    return 1.0 / ((held + cache) / (_bandwidth(row) * 0.67) + 0.001)


def llamafit_prompt(row: Row) -> float:
    """Tokens per second of a prompt: two operations a weight at 43 % of the half-precision rate."""
    flops = row.spec.fp16_flops if row.spec else None
    return (flops or float("nan")) * 0.43 / (2 * row.weights.n_elements * _active(row))


DECODE: dict[str, Callable[[Row], float]] = {"llmfit": llmfit, "whichllm": whichllm, "llamafit": llamafit}
PROMPT: dict[str, Callable[[Row], float]] = {"llamafit": llamafit_prompt}


def _bandwidth(row: Row) -> float:
    return row.spec.bandwidth_bytes_per_s if row.spec else float("nan")


def _active(row: Row) -> float:
    """Share of the weights that a token touches."""
    experts = row.shape.experts
    if experts is None:
        return 1.0
    return 1.0 - row.weights.expert_bytes * (1 - experts.n_used / experts.n_total) / row.weights.total_bytes
