"""GPUs of llama.cpp's device list joined with those of the driver."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.hardware import EngineDevice, Reading
from advisor.probe.engine_gpus import all_gpus
from advisor.units import GIB
from tests.probe.building import device, engine, gpu

LINUX = "linux-x86_64"


def names(*devices: EngineDevice, platform: str = LINUX) -> list[str | None]:
    return [found.name.value for found in all_gpus((), engine(*devices), platform)]


def test_a_rocm_device_is_taken_with_its_memory_and_source() -> None:
    (found,) = all_gpus((), engine(device("ROCm0", "AMD Radeon RX 7900 XTX")), LINUX)
    assert found.name == Reading("AMD Radeon RX 7900 XTX", "llama.cpp device list")
    assert found.total_bytes.value == 24 * GIB
    assert found.free_bytes.value == 24 * GIB - 1
    assert found.unified_memory is False


def test_devices_follow_the_drivers_gpus_in_their_numbers() -> None:
    found = all_gpus((gpu(0), gpu(1)), engine(device("Vulkan0", "Intel Arc A770")), LINUX)
    assert [each.index for each in found] == [0, 1, 2]
    assert found[2].name.value == "Intel Arc A770"


def test_a_cuda_device_is_not_counted_beside_the_driver() -> None:
    assert all_gpus((gpu(),), engine(device("CUDA0", "NVIDIA GeForce RTX 4090")), LINUX) == (gpu(),)


def test_a_cuda_device_is_not_counted_beside_a_gpu_whose_name_is_unknown() -> None:
    nameless = replace(gpu(), name=Reading(None, "nvmlDeviceGetName", "the driver timed out"))
    listed = engine(device("CUDA0", "NVIDIA GeForce RTX 4090"))
    assert all_gpus((nameless,), listed, LINUX) == (nameless,)


def test_a_cuda_device_counts_where_the_driver_could_not_be_asked() -> None:
    assert names(device("CUDA0", "NVIDIA GeForce RTX 4090")) == ["NVIDIA GeForce RTX 4090"]


def test_a_vulkan_device_of_an_nvidia_gpu_is_the_same_gpu() -> None:
    listed = engine(device("Vulkan0", "NVIDIA GeForce RTX 4090 (NVIDIA)"))
    assert all_gpus((gpu(),), listed, LINUX) == (gpu(),)


def test_a_card_with_a_longer_name_is_another_card() -> None:
    found = all_gpus((gpu(0, "NVIDIA RTX 4060"),), engine(device("Vulkan0", "NVIDIA RTX 4060 Ti")), LINUX)
    assert len(found) == 2


def test_two_back_ends_list_one_card_once() -> None:
    card = "AMD Radeon RX 7900 XTX"
    assert names(device("ROCm0", card), device("Vulkan0", f"{card} (RADV NAVI31)")) == [card]


def test_twins_under_one_back_end_are_two() -> None:
    card = "AMD Instinct MI300X"
    assert names(device("ROCm0", card), device("ROCm1", card), device("Vulkan0", card)) == [card, card]


def test_processors_and_accelerators_are_no_gpus() -> None:
    assert names(device("CPU", "AMD EPYC", "cpu"), device("BLAS", "OpenBLAS", "accelerator")) == []


def test_an_integrated_gpu_shares_the_memory() -> None:
    (found,) = all_gpus((), engine(device("Vulkan0", "AMD Radeon 780M", "igpu")), LINUX)
    assert found.unified_memory is True


def test_metal_on_apple_silicon_shares_the_memory() -> None:
    (found,) = all_gpus((), engine(device("MTL0", "Apple M3 Max")), "darwin-arm64")
    assert found.unified_memory is True


def test_a_device_without_memory_figures_has_a_reason() -> None:
    bare = EngineDevice("SYCL0", "Intel GPU", "gpu", 0, 0)
    (found,) = all_gpus((), engine(bare), LINUX)
    assert found.total_bytes.value is None
    assert found.total_bytes.reason
    assert found.free_bytes.value is None


def test_memory_that_the_driver_withholds_is_taken_from_the_engine() -> None:
    withheld: Reading[int] = Reading(None, "nvmlDeviceGetMemoryInfo", "the GPU shares the memory of the system")
    gb10 = replace(gpu(0, "NVIDIA GB10"), total_bytes=withheld, free_bytes=withheld, unified_memory=True)
    (found,) = all_gpus((gb10,), engine(device("CUDA0", "NVIDIA GB10", total_gib=119)), LINUX)
    assert found.total_bytes == Reading(119 * GIB, "llama.cpp device list")
    assert found.unified_memory is True


def test_an_engine_that_lists_nothing_leaves_the_drivers_gpus() -> None:
    silent = replace(engine(), devices=Reading(None, "engine", "llama.cpp is missing"))
    assert all_gpus((gpu(),), silent, LINUX) == (gpu(),)
