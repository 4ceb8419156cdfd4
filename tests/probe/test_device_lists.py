"""From the devices that llama.cpp lists on Apple silicon, AMD and Intel to a placed recommendation.

Names, kinds and memory are those that ggml's back ends report: Metal the chip and the working set that macOS recommends
(ggml-metal-device.m), ROCm the card's name by the driver (ggml-cuda.cu, built for HIP), Vulkan likewise, where Mesa's
drivers add their own name in brackets, and the processor's own graphics as `igpu` (ggml-vulkan.cpp).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from advisor.domain.hardware import DeviceKind, EngineDevice, Machine, Reading
from advisor.domain.recommend import Candidate
from advisor.probe import snapshot
from advisor.probe.snapshot import probe_machine
from advisor.service import Advisor
from advisor.units import GIB, MIB
from tests.probe.building import engine

HOST = EngineDevice("CPU", "Example 7000", "cpu", 64 * GIB, 60 * GIB)


@dataclass(frozen=True)
class Listed:
    """A device list and what it stands for."""

    platform: str
    devices: tuple[EngineDevice, ...]
    gpus: tuple[str, ...]
    unified: bool
    ram_gib: int = 64


def device(name: str, description: str, mib: int, free_mib: int, kind: DeviceKind = "gpu") -> EngineDevice:
    return EngineDevice(name, description, kind, mib * MIB, free_mib * MIB)


LISTS = {
    "metal": Listed(
        "darwin-arm64",
        (device("MTL0", "Apple M3 Max", 49152, 49151), device("BLAS", "Accelerate", 0, 0, "accelerator"), HOST),
        ("Apple M3 Max",),
        True,
    ),
    "rocm": Listed(
        "linux-x86_64",
        (device("ROCm0", "AMD Radeon RX 7900 XTX", 24560, 24472), HOST),
        ("AMD Radeon RX 7900 XTX",),
        False,
    ),
    "two rocm": Listed(
        "linux-x86_64",
        (*tuple(device(f"ROCm{i}", "AMD Instinct MI300X", 196592, 196000) for i in range(2)), HOST),
        ("AMD Instinct MI300X",) * 2,
        False,
    ),
    "vulkan": Listed(
        "windows-amd64",
        (device("Vulkan0", "AMD Radeon RX 7900 XTX (RADV NAVI31)", 24560, 24472), HOST),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)",),
        False,
    ),
    "vulkan, on the processor": Listed(
        "linux-x86_64",
        (device("Vulkan0", "AMD Radeon 780M (RADV PHOENIX)", 24000, 23000, "igpu"), HOST),
        ("AMD Radeon 780M (RADV PHOENIX)",),
        True,
        32,
    ),
    "intel": Listed(
        "linux-x86_64",
        (device("Vulkan0", "Intel(R) Arc(tm) A770 Graphics (DG2)", 16288, 16000), HOST),
        ("Intel(R) Arc(tm) A770 Graphics (DG2)",),
        False,
    ),
    "rocm and vulkan": Listed(
        "linux-x86_64",
        (
            device("ROCm0", "AMD Radeon RX 7900 XTX", 24560, 24472),
            device("Vulkan0", "AMD Radeon RX 7900 XTX (RADV NAVI31)", 24560, 24472),
            HOST,
        ),
        ("AMD Radeon RX 7900 XTX",),
        False,
    ),
}


def probed(listed: Listed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A probe of this machine that llama.cpp tells of other devices, with a system of the list's platform around it."""
    monkeypatch.setattr(snapshot, "platform_name", lambda: listed.platform)
    found = probe_machine(engine(*listed.devices, gpu_offload=True), disk_path=tmp_path, root=tmp_path)
    total = Reading(listed.ram_gib * GIB, "psutil")
    none: Reading[int] = Reading(None, "cgroup", "no limit")
    return replace(found, memory=replace(found.memory, total_bytes=total, available_bytes=total, limit_bytes=none))


def pick_for(machine: Machine) -> Candidate:
    advisor = Advisor()
    found = advisor.recommend(machine, advisor.constraints(advisor.answers(settings=["latency.tokens_per_s=none"])))
    assert found.pick is not None
    return found.pick


@pytest.mark.parametrize("name", LISTS)
def test_a_listed_device_is_probed_and_carries_the_pick(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = LISTS[name]
    machine = probed(listed, tmp_path, monkeypatch)
    assert tuple(gpu.name.value for gpu in machine.gpus) == listed.gpus
    assert {gpu.unified_memory for gpu in machine.gpus} == {listed.unified}
    first = next(d for d in listed.devices if d.kind in ("gpu", "igpu"))
    assert machine.gpus[0].total_bytes == Reading(first.total_bytes, "llama.cpp device list")
    pick = pick_for(machine)
    held = {each.name: each.total_bytes for each in pick.fit.footprint.devices}
    on_gpus = sum(n for where, n in held.items() if where != "RAM")
    assert on_gpus > 0.8 * sum(held.values()), held
    assert on_gpus <= sum(d.total_bytes for d in listed.devices if d.kind in ("gpu", "igpu"))


def test_memory_that_is_shared_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac of 64 GiB holds no model that needs its GPU's share and the processor's together."""
    pick = pick_for(probed(LISTS["metal"], tmp_path, monkeypatch))
    assert sum(each.total_bytes for each in pick.fit.footprint.devices) <= 64 * GIB


def test_a_build_without_the_back_end_leaves_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Listed("linux-x86_64", (HOST,), (), False)
    machine = probed(listed, tmp_path, monkeypatch)
    assert machine.gpus == ()
    assert {each.name for each in pick_for(machine).fit.footprint.devices} == {"RAM"}
