"""The memories of a machine that a candidate may use, under the user's limits."""

from __future__ import annotations

from advisor.domain.constraints import MachineLimits
from advisor.domain.hardware import CpuSpec, Gpu, GpuSpec, Machine
from advisor.domain.placement import Pool
from advisor.domain.processors import cpu_family
from advisor.units import MIB
from advisor.values import value

UNIFIED_GPU_SHARE = 0.75
"""Share of unified memory that Apple's Metal lets a GPU use by default on larger machines
(`recommendedMaxWorkingSetSize`); the same is assumed for other unified-memory devices."""

CONTEXT_BYTES = {"cuda": 457 * MIB, "rocm": 457 * MIB}
"""What the driver takes for a process on each GPU before any model: context, kernels and libraries. llama.cpp does
not report it. Source: `cudaMinimumMemory` and `rocmMinimumMemory` in ollama's gpu/gpu.go (checked 2026-11-23)."""


@value
class Figures:
    """Published figures of the devices of one machine, where the catalogue knows them."""

    cpu: CpuSpec | None
    gpus: tuple[GpuSpec | None, ...]


def memory_pools(machine: Machine, limits: MachineLimits, figures: Figures) -> tuple[Pool, ...]:
    """System memory first, then each GPU that the engine can use."""
    return (_ram_pool(machine, limits, figures.cpu), *_gpu_pools(machine, limits, figures))


def engine_uses_gpus(machine: Machine) -> bool:
    """Whether llama.cpp here can offload; a simulated machine is taken to have the right build."""
    return machine.simulated or machine.engine.gpu_offload.value is True


def _ram_pool(machine: Machine, limits: MachineLimits, spec: CpuSpec | None) -> Pool:
    capacity = machine.memory.capacity_bytes or 0
    cores = machine.cpu.usable_cores.value or machine.cpu.physical_cores.value or 1
    physical = machine.cpu.physical_cores.value or cores
    return Pool(
        name="RAM",
        kind="ram",
        budget_bytes=max(0, capacity - limits.reserve_ram_bytes),
        free_bytes=machine.memory.available_bytes.value,
        bandwidth_bytes_per_s=machine.memory.bandwidth_bytes_per_s or (spec.bandwidth_bytes_per_s if spec else None),
        flops=None,
        backend="cpu",
        cores=max(1, int(min(cores, physical))),
        family=cpu_family(machine, spec),
    )


def _gpu_pools(machine: Machine, limits: MachineLimits, figures: Figures) -> tuple[Pool, ...]:
    if not engine_uses_gpus(machine):
        return ()
    pairs = zip(machine.gpus, figures.gpus, strict=True)
    return tuple(_gpu_pool(gpu, spec, machine, limits) for gpu, spec in pairs)


def _gpu_pool(gpu: Gpu, spec: GpuSpec | None, machine: Machine, limits: MachineLimits) -> Pool:
    unified = gpu.unified_memory or (spec is not None and spec.unified_memory)
    capacity = gpu.total_bytes.value or (spec.memory_bytes if spec else 0)
    if unified:
        capacity = int(UNIFIED_GPU_SHARE * (machine.memory.capacity_bytes or capacity))
    backend = spec.backend if spec else "cuda"
    return Pool(
        name=f"GPU{gpu.index}",
        kind="gpu",
        budget_bytes=max(0, capacity - limits.reserve_vram_bytes - CONTEXT_BYTES.get(backend, 0)),
        free_bytes=None if unified else gpu.free_bytes.value,
        bandwidth_bytes_per_s=gpu.bandwidth_bytes_per_s or (spec.bandwidth_bytes_per_s if spec else None),
        flops=spec.fp16_flops if spec else None,
        backend=backend,
        shares_ram=unified,
        int8_ops=spec.int8_ops if spec else None,
        stacked_memory=spec is not None and spec.stacked_memory,
    )


def threads_for(machine: Machine) -> int:
    """Threads for llama.cpp: physical cores that this process may use, since hyper-threads only contend."""
    physical = machine.cpu.physical_cores.value
    usable = machine.cpu.usable_cores.value
    known = [int(n) for n in (physical, usable) if n]
    return max(1, min(known, default=1))
