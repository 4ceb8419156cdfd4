"""Values that several tests of the probe start from."""

from __future__ import annotations

from advisor.domain.hardware import DeviceKind, Engine, EngineDevice, Gpu, GpuSpec, Reading
from advisor.units import GIB

TEST = "test"


def engine(*devices: EngineDevice, gpu_offload: bool = False) -> Engine:
    return Engine(Reading("0.3.36", TEST), Reading(gpu_offload, TEST), Reading(devices, TEST), Reading("", TEST))


def device(name: str, description: str, kind: DeviceKind = "gpu", total_gib: int = 24) -> EngineDevice:
    return EngineDevice(name, description, kind, total_gib * GIB, total_gib * GIB - 1)


def gpu(index: int = 0, name: str = "NVIDIA GeForce RTX 4090", total_gib: int = 24) -> Gpu:
    total = Reading(total_gib * GIB, TEST)
    return Gpu(index, Reading(name, TEST), total, total, Reading("570.86.15", TEST), Reading(False, TEST))


def spec(name: str, memory_gib: int, *, unified: bool = False) -> GpuSpec:
    return GpuSpec(name, (), "nvidia", "cuda", memory_gib * GIB, 1e12, None, None, unified, TEST)
