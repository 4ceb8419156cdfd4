"""llama.cpp's own figures as a footprint."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.basis import Basis
from advisor.domain.footprint import RAM, DeviceFootprint, Footprint
from advisor.engine.messages import DeviceBytes, MemoryFigures
from advisor.units import MIB


def engine_footprint(expected: Footprint, figures: MemoryFigures) -> Footprint:
    """The footprint with what a dry run reported in place of what was computed.

    The dry run tells weights and cache only in total; their shares are those of the closed form. Where a total
    differs, the difference is put to system memory.
    """
    compute = _by_device(expected, figures.compute)
    output = sum([buffer.n_bytes for buffer in figures.output])
    devices = [
        replace(device, compute_bytes=compute[i], output_bytes=output if i == 0 else 0)
        for i, device in enumerate(expected.devices)
    ]
    cached = figures.kv_cache_bytes + figures.state_bytes - expected.kv_cache_bytes
    held = figures.weights_bytes - expected.model_bytes
    ram = devices[0]
    devices[0] = replace(ram, weights_bytes=ram.weights_bytes + held, kv_cache_bytes=ram.kv_cache_bytes + cached)
    return Footprint(tuple(devices), figures.weights_bytes, Basis.ENGINE)


def ram_footprint(figures: MemoryFigures) -> Footprint:
    """Everything in system memory, for a file of an architecture that has no closed form."""
    cached = figures.kv_cache_bytes + figures.state_bytes
    ram = DeviceFootprint(RAM, figures.weights_bytes, cached, figures.compute_bytes, figures.output_bytes)
    return Footprint((ram,), figures.weights_bytes, Basis.ENGINE)


LOG_STEP_BYTES = round(0.01 * MIB)
"""To what llama.cpp's log rounds the recurrent states, which it tells nowhere else."""


def disagreements(expected: Footprint, found: Footprint, *, cache_slack_bytes: int = 0) -> tuple[str, ...]:
    """Where the engine's totals are other than the computed ones, in sentences."""
    pairs = (
        ("weights", expected.model_bytes, found.model_bytes, 0),
        ("KV cache", expected.kv_cache_bytes, found.kv_cache_bytes, cache_slack_bytes),
        ("compute buffer", expected.compute_bytes, found.compute_bytes, found.compute_bytes // 100),
    )
    return tuple([
        f"{name}: {here:,} bytes computed, {there:,} by llama.cpp"
        for name, here, there, slack in pairs
        if abs(here - there) > slack
    ])  # fmt: skip


def _by_device(expected: Footprint, buffers: tuple[DeviceBytes, ...]) -> list[int]:
    """Buffers of the processor and pinned ones to system memory, the others to the GPUs in order."""
    found = [0] * len(expected.devices)
    next_gpu = 1
    for buffer in buffers:
        if buffer.device.startswith("CPU") or buffer.device.endswith("_Host") or next_gpu >= len(found):
            found[0] += buffer.n_bytes
        else:
            found[next_gpu] = buffer.n_bytes
            next_gpu += 1
    return found
