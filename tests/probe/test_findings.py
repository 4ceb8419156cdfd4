"""What the probe tells a user about a machine, and how to mend it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.hardware import Engine, Finding, Gpu, Memory, Reading
from advisor.probe.drm import DrmCard
from advisor.probe.findings import find_all
from advisor.probe.nvidia import NvidiaGpus
from advisor.units import GIB
from tests.probe.building import TEST, device, engine, gpu

LINUX = "linux-x86_64"
NO_LIMIT: Reading[int] = Reading(None, TEST, "no cgroup limits memory")
NO_DRIVER = NvidiaGpus(Reading(None, "nvmlInit", "no NVIDIA driver library was found"), (), has_driver=False)


def memory(total_gib: int = 64, limit: Reading[int] = NO_LIMIT) -> Memory:
    total = Reading(total_gib * GIB, TEST)
    return Memory(total, total, limit)


def nvidia(*gpus: Gpu) -> NvidiaGpus:
    return NvidiaGpus(Reading(len(gpus), TEST), gpus, has_driver=True)


def find(
    found: NvidiaGpus = NO_DRIVER,
    built: Engine | None = None,
    *,
    platform: str = LINUX,
    ram: Memory | None = None,
    amd: tuple[DrmCard, ...] = (),
) -> tuple[Finding, ...]:
    return find_all(platform, built or engine(), ram or memory(), found, amd)


def test_a_plain_machine_has_no_findings() -> None:
    assert find() == ()


def test_nvidia_gpus_without_gpu_build_name_the_cause_and_the_command() -> None:
    (finding,) = find(nvidia(gpu(0), gpu(1)))
    assert finding.level == "warning"
    assert "The driver reports 2 NVIDIA GPUs" in finding.text
    assert "llama-cpp-python was built without GPU support" in finding.text
    command = 'CMAKE_ARGS="-DGGML_CUDA=on" pip install --force-reinstall --no-cache-dir "llama-cpp-python>=0.3.36,<0.4"'
    assert command in (finding.hint or "")


def test_the_command_on_windows_is_one_that_powershell_takes() -> None:
    (finding,) = find(nvidia(gpu()), platform="windows-amd64")
    assert '$env:CMAKE_ARGS="-DGGML_CUDA=on"; pip install' in (finding.hint or "")


def test_amd_gpus_without_gpu_build_get_the_hip_option() -> None:
    (finding,) = find(amd=(DrmCard("card0", 16 * GIB),))
    assert "1 AMD GPU (card0, 16.00 GiB)" in finding.text
    assert "-DGGML_HIP=on" in (finding.hint or "")


def test_apple_silicon_without_gpu_build_gets_the_metal_option() -> None:
    (finding,) = find(platform="darwin-arm64")
    assert "-DGGML_METAL=on" in (finding.hint or "")


@pytest.mark.parametrize("platform", [LINUX, "darwin-arm64"])
def test_a_gpu_build_has_nothing_to_mend(platform: str) -> None:
    built = engine(device("CUDA0", "NVIDIA GeForce RTX 4090"), gpu_offload=True)
    assert find(nvidia(gpu()), built, platform=platform, amd=(DrmCard("card0", None),)) == ()


def test_an_engine_that_could_not_be_asked_is_not_blamed() -> None:
    unknown = replace(engine(), gpu_offload=Reading(None, "engine", "llama.cpp is missing"))
    assert find(nvidia(gpu()), unknown) == ()


def test_a_driver_that_fails_is_a_warning_with_its_hint() -> None:
    failed = NvidiaGpus(Reading(None, "nvmlInit", "the driver is not loaded", "Load it."), (), has_driver=True)
    (finding,) = find(failed)
    assert "the driver is not loaded" in finding.text
    assert finding.hint == "Load it."


def test_a_lost_gpu_is_a_warning() -> None:
    lost: Reading[str] = Reading(None, TEST, "the GPU is lost", "Reboot.")
    built = engine(device("CUDA0", "NVIDIA GeForce RTX 4090"), gpu_offload=True)
    (finding,) = find(nvidia(gpu(0), replace(gpu(1), name=lost)), built)
    assert "GPU 1 cannot be used: the GPU is lost" in finding.text
    assert finding.hint == "Reboot."


def test_a_divided_gpu_is_a_warning() -> None:
    built = engine(device("CUDA0", "NVIDIA A100"), gpu_offload=True)
    (finding,) = find(nvidia(replace(gpu(0, "NVIDIA A100"), mig=Reading(True, TEST))), built)
    assert "divided by MIG" in finding.text


def test_gpus_hidden_from_the_engine_are_a_warning() -> None:
    built = engine(device("CUDA0", "NVIDIA GeForce RTX 4090"), gpu_offload=True)
    (finding,) = find(nvidia(gpu(0), gpu(1)), built)
    assert "lists 1 of the 2 GPUs" in finding.text
    assert "CUDA_VISIBLE_DEVICES" in (finding.hint or "")


@pytest.mark.parametrize(("limit_gib", "is_found"), [(31, True), (32, False), (48, False)])
def test_a_cgroup_limit_below_half_of_the_memory_is_told(limit_gib: int, is_found: bool) -> None:
    found = find(ram=memory(64, Reading(limit_gib * GIB, TEST)))
    assert bool(found) is is_found
    assert all(finding.level == "info" and "31.00 GiB of 64.00 GiB" in finding.text for finding in found)
