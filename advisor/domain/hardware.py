"""What a machine has, as one frozen snapshot.

Each reading says where it comes from and, where there is none, why and what would help.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from advisor.values import value

T_co = TypeVar("T_co", covariant=True)

DeviceKind = Literal["cpu", "gpu", "igpu", "accelerator"]
CpuFamily = Literal["x86", "arm", "unknown"]
"""Processors for which llama.cpp has the same kernels, more or less."""


@value
class Reading(Generic[T_co]):
    """One probed value. `value` is None when it is unknown; `reason` then says why."""

    value: T_co | None
    source: str
    """The place asked: `psutil`, `/proc/cpuinfo`, `nvmlDeviceGetMemoryInfo`, `simulated` …"""
    reason: str | None = None
    hint: str | None = None
    """What the user can do to get the value, or to get more out of it."""


@value
class Cpu:
    """The processor."""

    name: Reading[str]
    physical_cores: Reading[int]
    logical_cores: Reading[int]
    usable_cores: Reading[float]
    """Cores left by CPU affinity and the cgroup quota; a quota can grant a fraction of a core."""
    instruction_sets: Reading[tuple[str, ...]]
    """The SIMD sets that matter to llama.cpp, in lower case, sorted."""


@value
class Memory:
    """System memory."""

    total_bytes: Reading[int]
    available_bytes: Reading[int]
    """What a new process can take now, cgroup limit respected."""
    limit_bytes: Reading[int]
    """The cgroup limit; None when there is no limit or it exceeds the total."""
    bandwidth_bytes_per_s: float | None = None
    """Where a machine file states it."""

    @property
    def capacity_bytes(self) -> int | None:
        """The most that processes here can ever hold: the total, or the cgroup limit below it."""
        known = [r.value for r in (self.total_bytes, self.limit_bytes) if r.value is not None]
        return min(known, default=None)


@value
class Gpu:
    """A GPU as the driver, or a machine file, reports it."""

    index: int
    name: Reading[str]
    total_bytes: Reading[int]
    free_bytes: Reading[int]
    driver: Reading[str]
    mig: Reading[bool]
    unified_memory: bool = False
    """The GPU shares the system's memory, so it has no pool of its own."""
    bandwidth_bytes_per_s: float | None = None
    """Where a machine file states it."""


@value
class EngineDevice:
    """A device as the installed llama.cpp lists it."""

    name: str
    description: str
    kind: DeviceKind
    total_bytes: int
    free_bytes: int | None
    """None where the description was remembered from an earlier run, whose free memory says nothing about now."""


@value
class Engine:
    """The llama.cpp that is installed beside this program."""

    version: Reading[str]
    """The version of llama-cpp-python, which names the llama.cpp it was built from."""
    gpu_offload: Reading[bool]
    devices: Reading[tuple[EngineDevice, ...]]
    system_info: Reading[str]
    """llama.cpp's own line on the instruction sets and back ends it was compiled with."""


@value
class Finding:
    """Something about this machine that the user should know."""

    level: Literal["info", "warning"]
    text: str
    hint: str | None = None


@value
class Machine:
    """One snapshot. A recommendation rests on exactly one of these and records it."""

    simulated: bool
    platform: str
    """Operating system and processor architecture, for example `linux-x86_64`."""
    cpu: Cpu
    memory: Memory
    gpus: tuple[Gpu, ...]
    gpu_query: Reading[int]
    """How many GPUs the driver reported, or why it could not be asked."""
    engine: Engine
    disk_free_bytes: Reading[int]
    findings: tuple[Finding, ...] = ()


@value
class GpuSpec:
    """Published figures of a GPU or accelerator, for estimates."""

    name: str
    aliases: tuple[str, ...]
    vendor: str
    backend: str
    """The ggml back end it runs with: `cuda`, `rocm`, `metal`, `sycl`, `vulkan`."""
    memory_bytes: int
    bandwidth_bytes_per_s: float
    fp16_flops: float | None
    """Dense half-precision operations per second with tensor or matrix units, sparsity not counted."""
    int8_ops: float | None
    unified_memory: bool
    source: str
    stacked_memory: bool = False
    """High-bandwidth memory (HBM) beside the processor."""


@value
class CpuSpec:
    """Published figures of a processor or platform, for estimates."""

    name: str
    aliases: tuple[str, ...]
    cores: int
    bandwidth_bytes_per_s: float
    """Peak memory bandwidth with all channels populated."""
    source: str
    family: CpuFamily = "x86"
