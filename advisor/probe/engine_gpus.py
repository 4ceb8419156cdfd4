"""GPUs that llama.cpp lists and NVML does not know: Metal, ROCm, Vulkan, SYCL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from advisor.domain.hardware import Engine, EngineDevice, Gpu, Reading
from advisor.probe.readings import unknown

SOURCE = "llama.cpp device list"

APPLE_SILICON = "darwin-arm64"


def all_gpus(driver_gpus: Sequence[Gpu], engine: Engine, platform: str) -> tuple[Gpu, ...]:
    """The driver's GPUs, then those that only the engine knows; gaps of the former filled from the engine's list."""
    listed = [device for device in engine.devices.value or () if device.kind in ("gpu", "igpu")]
    known = [_filled(gpu, listed) for gpu in driver_gpus]
    new = _unknown_to_driver(listed, driver_gpus)
    return (*known, *(_gpu(len(known) + i, device, platform) for i, device in enumerate(new)))


def _unknown_to_driver(listed: Iterable[EngineDevice], driver_gpus: Sequence[Gpu]) -> list[EngineDevice]:
    taken: list[EngineDevice] = []
    for device in listed:
        if driver_gpus and _back_end(device) == "cuda":
            continue
        if any(_same_name(gpu.name.value, device.description) for gpu in driver_gpus):
            continue
        # A build with two back ends lists each GPU once for either; twins under one back end are two GPUs.
        others = [other for other in taken if _back_end(other) != _back_end(device)]
        if not any(_same_name(other.description, device.description) for other in others):
            taken.append(device)
    return taken


def _filled(gpu: Gpu, listed: Iterable[EngineDevice]) -> Gpu:
    if gpu.total_bytes.value is not None:
        return gpu
    for device in listed:
        if _same_name(gpu.name.value, device.description) and device.total_bytes:
            return replace(gpu, total_bytes=_total(device), free_bytes=_free(device))
    return gpu


def _gpu(index: int, device: EngineDevice, platform: str) -> Gpu:
    return Gpu(
        index,
        name=Reading(device.description or device.name, SOURCE),
        total_bytes=_total(device),
        free_bytes=_free(device),
        driver=unknown(SOURCE, "llama.cpp does not report driver versions"),
        mig=Reading(False, SOURCE),
        unified_memory=device.kind == "igpu" or platform == APPLE_SILICON,
    )


def _total(device: EngineDevice) -> Reading[int]:
    if device.total_bytes:
        return Reading(device.total_bytes, SOURCE)
    return unknown(SOURCE, "llama.cpp reports no memory for this device")


def _free(device: EngineDevice) -> Reading[int]:
    # Back ends that cannot ask report 0 of 0.
    if device.total_bytes and device.free_bytes is not None:
        return Reading(device.free_bytes, SOURCE)
    return unknown(SOURCE, "llama.cpp reports no free memory for this device")


def _back_end(device: EngineDevice) -> str:
    return device.name.rstrip("0123456789").casefold()


def _same_name(one: str | None, other: str) -> bool:
    """Drivers append their own name in brackets to the same card's name."""
    if not one or not other:
        return False
    a, b = one.casefold().strip(), other.casefold().strip()
    return a == b or a.startswith(f"{b} (") or b.startswith(f"{a} (")
