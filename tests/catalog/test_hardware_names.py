from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.catalog.hardware_names import check_names, find_gpu, match_cpu, match_gpu
from advisor.domain.hardware import CpuSpec, GpuSpec
from advisor.errors import InputError
from advisor.units import GIB

# Hardware as named in the public llama.cpp measurements, each with the GPU that it means.
MEASURED_GPUS = {
    "3070 8GB": "RTX 3070",
    "3080 10GB": "RTX 3080 10GB",
    "3090 24GB": "RTX 3090",
    "4080 16GB": "RTX 4080",
    "A100 SXM 80GB": "A100 SXM 80GB",
    "A40 48GB": "A40",
    "AMD Instinct MI50": "Instinct MI50 16GB",
    "AMD RX 5700 XT": "RX 5700 XT",
    "AMD RX 580 on HiFive P550 (RISC-V)": "RX 580",
    "AMD RX 6800": "RX 6800",
    "AMD RX 6800 XT": "RX 6800 XT",
    "AMD RX 7900 XTX": "RX 7900 XTX",
    "AMD RX 9070 XT 16GB on Raspberry Pi (PCIe x1 Gen3)": "RX 9070 XT",
    "AMD Radeon 780M": "Radeon 780M",
    "AMD Radeon VII": "Radeon VII",
    "AMD Ryzen AI Max+ 395 (Strix Halo gfx1151, LPDDR5X-8000)": "Radeon 8060S",
    "AMD Ryzen AI Max+ 395 (Strix Halo gfx1151, LPDDR5X-8000) [AMD Radeon Graphics]": "Radeon 8060S",
    "AMD Ryzen AI Max+ 395 (gfx1151)": "Radeon 8060S",
    "Apple M2 Max 38-core GPU 96GB": "Apple M2 Max",
    "Apple M4 Pro (24.0 GB; CPU Apple M4 Pro; RAM 24.0 GB)": "Apple M4 Pro",
    "Apple M5 Pro (64.0 GB; CPU Apple M5 Pro; RAM 64.0 GB)": "Apple M5 Pro",
    "Dell Pro Max with GB10 (Nvidia Spark) [GPU]": "GB10",
    "Framework Desktop Mainboard (395+) [GPU/CPU]": "Radeon 8060S",
    "Framework Mainboard (128GB) [GPU]": "Radeon 8060S",
    "H100 PCIe 80GB": "H100 PCIe 80GB",
    "HiFive Premier P550 (AMD RX 580) [GPU]": "RX 580",
    "Intel 13900K (Nvidia 4090) [GPU]": "RTX 4090",
    "Intel 13900K (Nvidia 5090) [GPU]": "RTX 5090",
    "Intel 265K Custom PC (AMD Radeon AI Pro R9700) [GPU]": "Radeon AI PRO R9700",
    "Intel 265K Custom PC (Nvidia RTX 2080 Ti) [GPU]": "RTX 2080 Ti",
    "Intel 265K Custom PC (Nvidia RTX 3060) [GPU]": "RTX 3060 12GB",
    "Intel 265K Custom PC (Nvidia RTX 3080 Ti) [GPU]": "RTX 3080 Ti",
    "Intel 265K Custom PC (Nvidia RTX 4070 Ti) [GPU]": "RTX 4070 Ti",
    "Intel 265K Custom PC (Nvidia RTX 4090) [GPU]": "RTX 4090",
    "Intel 265K Custom PC (Nvidia RTX A4000) [GPU]": "RTX A4000",
    "Intel Arc 140V iGPU (Core Ultra 7 258V, LPDDR5X-8533)": "Arc 140V",
    "Intel Arc A770 (2x Xeon 2699v3, Windows)": "Arc A770 16GB",
    "Intel Arc A770 (i5-12600KF, Windows)": "Arc A770 16GB",
    "Intel Arc Graphics 130V/140V (integrated) (30.83 GB; CPU Intel(R) Core(TM) Ultra 7 258V)": "Arc 140V",
    "L40S 48GB": "L40S",
    "M1 7\N{NON-BREAKING HYPHEN}Core GPU 8GB": "Apple M1",
    "M1 Max 32\N{NON-BREAKING HYPHEN}Core GPU 64GB": "Apple M1 Max",
    "M1 Max Mac Studio (10 core - 64GB) [GPU]": "Apple M1 Max",
    "M2 Ultra 76-Core GPU 192GB": "Apple M2 Ultra",
    "M4 Mac mini (10 core - 32GB) [GPU]": "Apple M4",
    "Mac Studio (M3 Ultra 512GB) [GPU]": "Apple M3 Ultra",
    "Minisforum MS-R1 (Nvidia RTX A2000) [GPU]": "RTX A2000 6GB",
    "NVIDIA B200": "B200",
    "NVIDIA CMP 90HX (patched/unlocked)": "CMP 90HX",
    "NVIDIA GB10 (121.63 GB; CPU Cortex-A725; RAM 121.63 GB)": "GB10",
    "NVIDIA GeForce RTX 2080 (8.0 GB; CPU Intel(R) Core(TM) i9-10900X CPU @ 3.70GHz)": "RTX 2080",
    "NVIDIA GeForce RTX 3090": "RTX 3090",
    "NVIDIA GeForce RTX 5070 (11.94 GB; CPU 13th Gen Intel(R) Core(TM) i9-13900HK)": "RTX 5070",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "RTX PRO 6000 Blackwell Server Edition",
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": "RTX PRO 6000 Blackwell Workstation Edition",
    "Pi 5 - 8GB (AMD Pro W7700) [GPU]": "Radeon PRO W7700",
    "Pi 5 - 8GB (AMD RX 6500 XT) [GPU]": "RX 6500 XT",
    "Pi 5 - 8GB (AMD RX 6700 XT) 12GB [GPU]": "RX 6700 XT",
    "Pi 5 - 8GB (AMD RX 7600) [GPU]": "RX 7600",
    "Pi 500+ - 16GB (AMD RX 7900 XT) [GPU]": "RX 7900 XT",
    "Pi 500+ - 16GB (Intel Arc A310 ECO) [GPU]": "Arc A310",
    "Pi 500+ - 16GB (Intel Arc B580) [GPU]": "Arc B580",
    "Pi 500+ - 16GB (Intel Arc Pro B50) [GPU]": "Arc Pro B50",
    "Pi CM5 - 16GB (AMD AI Pro R9700) [GPU]": "Radeon AI PRO R9700",
    "RTX 2080 8GB": "RTX 2080",
    "RTX 3080": "RTX 3080 10GB",
    "RTX 4000 Ada 20GB": "RTX 4000 Ada",
    "RTX 5000 Ada 32GB": "RTX 5000 Ada",
    "RTX A6000 48GB": "RTX A6000",
    "Radeon RX 7900 XTX": "RX 7900 XTX",
    "Ryzen 9 5950X (Nvidia 4070) [GPU]": "RTX 4070",
    "Ryzen 9 9950X (AMD 7900 XT) [GPU]": "RX 7900 XT",
    "System76 Thelio Astra (Nvidia A400) [GPU]": "RTX A400",
    "Tesla P40": "P40",
}

# Model names as operating systems report them, and processors of the same measurements.
PROCESSORS = {
    "2x AMD EPYC 9R14 96-core (192 vCPU, DDR5, AWS)": "AMD EPYC 9004",
    "AMD EPYC 7763 64-Core Processor": "AMD EPYC 7003",
    "AMD EPYC 75F3 32-Core Processor": "AMD EPYC 7003",
    "AMD EPYC 7742 64-Core Processor": "AMD EPYC 7002",
    "AMD EPYC 7601 32-Core Processor": "AMD EPYC 7001",
    "AMD EPYC 9755 128-Core Processor": "AMD EPYC 9005",
    "AMD Ryzen 9 7940HS CPU (DDR5-5600 dual channel per file)": "AMD Ryzen 7040 and 8040 mobile",
    "AMD Ryzen 7 7840HS w/ Radeon 780M Graphics": "AMD Ryzen 7040 and 8040 mobile",
    "AMD Ryzen 9 5950X 16-Core Processor": "AMD Ryzen 5000 desktop",
    "AMD Ryzen 7 5800X3D 8-Core Processor": "AMD Ryzen 5000 desktop",
    "AMD Ryzen 9 7950X 16-Core Processor": "AMD Ryzen 7000 desktop",
    "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S": "AMD Ryzen AI Max 300",
    "AMD Ryzen AI 9 HX 370 w/ Radeon 890M": "AMD Ryzen AI 300",
    "Framework 13 (Ryzen AI 5 340) [CPU]": "AMD Ryzen AI 300",
    "AMD Ryzen Threadripper PRO 5995WX 64-Cores": "AMD Ryzen Threadripper PRO 3000 and 5000",
    "12th Gen Intel(R) Core(TM) i7-12700K": "Intel Core 12th generation desktop",
    "13th Gen Intel(R) Core(TM) i9-13900HK": "Intel Core 13th generation mobile",
    "Intel i9-13900K DDR5-6400": "Intel Core 13th generation desktop",
    "Intel(R) Core(TM) i9-14900K": "Intel Core 14th generation desktop",
    "Intel(R) Core(TM) i9-10900X CPU @ 3.70GHz": "Intel Core X 10th generation",
    "Intel(R) Core(TM) Ultra 7 258V": "Intel Core Ultra 200V",
    "Intel(R) Core(TM) Ultra 7 265K": "Intel Core Ultra 200S",
    "Intel(R) Xeon(R) Platinum 8480+": "Intel Xeon Scalable 4th generation",
    "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz": "Intel Xeon Scalable 3rd generation, Ice Lake",
    "Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz": "Intel Xeon Scalable 3rd generation, Cooper Lake",
    "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz": "Intel Xeon Scalable 2nd generation",
    "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz": "Intel Xeon E5 v4",
    "GMKtec G3 Plus (Intel N150) - 16GB [CPU]": "Intel Processor N150",
    "Raspberry Pi 5 Model B Rev 1.0": "Raspberry Pi 5",
    "Pi 500+ - 16GB [CPU]": "Raspberry Pi 5",
    "Apple M2 Max CPU (ARM_NEON)": "Apple M2 Max",
    "Apple M2": "Apple M2",
}


def test_no_name_means_two_gpus(gpus: tuple[GpuSpec, ...]) -> None:
    check_names(gpus)


def test_every_name_and_alias_of_a_gpu_finds_its_row(gpus: tuple[GpuSpec, ...]) -> None:
    wrong = [
        (name, find_gpu(gpus, name).name)
        for spec in gpus
        for name in (spec.name, *spec.aliases)
        if find_gpu(gpus, name).name != spec.name
    ]
    assert wrong == []


def test_no_pattern_stands_in_two_processor_rows(cpus: tuple[CpuSpec, ...]) -> None:
    patterns = [alias.casefold() for spec in cpus for alias in spec.aliases]
    assert len(patterns) == len(set(patterns))


def test_one_name_for_two_rows_is_refused(gpus: tuple[GpuSpec, ...]) -> None:
    renamed = replace(find_gpu(gpus, "RTX 4080"), name="Other", aliases=("GeForce RTX4090",))
    with pytest.raises(InputError, match="'RTX 4090' and 'Other'"):
        check_names((*gpus, renamed))


# Finding a GPU


@pytest.mark.parametrize(
    "text", ["NVIDIA GeForce RTX 4090", "RTX4090", "rtx 4090 24gb", "rtx-4090", "4090", "GeForce RTX 4090 (24 GB)"]
)
def test_spelling_does_not_matter(gpus: tuple[GpuSpec, ...], text: str) -> None:
    assert find_gpu(gpus, text).name == "RTX 4090"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RTX 4060", "RTX 4060"),
        ("RTX 4060 Ti 16GB", "RTX 4060 Ti 16GB"),
        ("RTX 4070 Ti", "RTX 4070 Ti"),
        ("RTX 4070 Ti SUPER", "RTX 4070 Ti SUPER"),
        ("RX 7900 XT", "RX 7900 XT"),
        ("L40", "L40"),
        ("A10", "A10"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
    ],
)
def test_a_name_never_finds_its_longer_or_shorter_sibling(gpus: tuple[GpuSpec, ...], text: str, name: str) -> None:
    assert find_gpu(gpus, text).name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RTX 3060 8GB", "RTX 3060 8GB"),
        ("RTX 3060 (8.0 GB)", "RTX 3060 8GB"),
        ("RTX 3060", "RTX 3060 12GB"),
        ("A100 PCIe 40GB", "A100 PCIe 40GB"),
        ("NVIDIA A100-SXM4-40GB", "A100 SXM 40GB"),
        ("A100 40GB", "A100 SXM 40GB"),
        ("H100 94GB", "H100 NVL 94GB"),
        ("RTX PRO 5000 72GB", "RTX PRO 5000 Blackwell 72GB"),
        ("NVIDIA GH200 480GB", "GH200 96GB"),
    ],
)
def test_a_stated_size_chooses_the_variant(gpus: tuple[GpuSpec, ...], text: str, name: str) -> None:
    assert find_gpu(gpus, text).name == name


def test_a_stated_size_replaces_the_largest_of_unified_memory(gpus: tuple[GpuSpec, ...]) -> None:
    assert find_gpu(gpus, "M2 Max").memory_bytes == 96 * GIB
    assert find_gpu(gpus, "M2 Max 64GB").memory_bytes == 64 * GIB


def test_an_unknown_name_is_refused_with_the_three_nearest(gpus: tuple[GpuSpec, ...]) -> None:
    with pytest.raises(InputError) as caught:
        find_gpu(gpus, "RTX 4900")
    assert caught.value.hint is not None
    nearest = caught.value.hint.removeprefix("Nearest: ").removesuffix(".").split(", ")
    assert len(nearest) == 3
    assert nearest[0] == "RTX 4090"


@pytest.mark.parametrize("text", ["", "GPU", "RX 4090", "RTX 40", "H10", "Radeon RX 7900 XT + RX 7900 XTX", "CPU only"])
def test_what_names_no_gpu_is_refused(gpus: tuple[GpuSpec, ...], text: str) -> None:
    with pytest.raises(InputError, match="no GPU named"):
        find_gpu(gpus, text)


def test_a_size_that_was_never_sold_is_refused_with_those_that_were(gpus: tuple[GpuSpec, ...]) -> None:
    with pytest.raises(InputError, match="no known memory size") as caught:
        find_gpu(gpus, "RTX 4060 Ti 24GB")
    assert caught.value.hint == "Known: RTX 4060 Ti 16GB (16.00 GiB), RTX 4060 Ti 8GB (8.00 GiB)."


def test_a_name_of_several_sizes_asks_for_one(gpus: tuple[GpuSpec, ...]) -> None:
    with pytest.raises(InputError, match="several GPUs"):
        find_gpu(gpus, "Orin")
    assert find_gpu(gpus, "Orin 32GB").name == "Jetson AGX Orin 32GB"


@pytest.mark.parametrize(("text", "name"), MEASURED_GPUS.items())
def test_hardware_of_public_measurements_is_found(gpus: tuple[GpuSpec, ...], text: str, name: str) -> None:
    assert find_gpu(gpus, text).name == name


# Probed names


@pytest.mark.parametrize(
    ("nvml_name", "mib", "name"),
    [
        # Totals as drivers report them, in MiB.
        ("NVIDIA GeForce RTX 4090", 24564, "RTX 4090"),
        ("NVIDIA GeForce RTX 4060 Ti", 16380, "RTX 4060 Ti 16GB"),
        ("NVIDIA GeForce RTX 4060 Ti", 8188, "RTX 4060 Ti 8GB"),
        ("NVIDIA GeForce RTX 3060", 8192, "RTX 3060 8GB"),
        ("NVIDIA A100-SXM4-80GB", 81920, "A100 SXM 80GB"),
        ("NVIDIA A100 80GB PCIe", 81920, "A100 PCIe 80GB"),
        ("NVIDIA H100 80GB HBM3", 81559, "H100 SXM 80GB"),
        ("NVIDIA H100 NVL", 95830, "H100 NVL 94GB"),
        ("NVIDIA H200", 143771, "H200 SXM 141GB"),
        ("NVIDIA GH200 480GB", 97871, "GH200 96GB"),
        ("Tesla V100-SXM2-16GB", 16384, "V100 SXM2 16GB"),
        ("NVIDIA A10", 23028, "A10"),
        ("NVIDIA RTX 6000 Ada Generation", 49140, "RTX 6000 Ada"),
        ("Orin (nvgpu)", 30536, "Jetson AGX Orin 32GB"),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", 24560, "RX 7900 XTX"),
        ("Intel(R) Arc(TM) A770 Graphics", 16225, "Arc A770 16GB"),
        ("Intel(R) Arc(TM) Pro B60 Graphics", 24480, "Arc Pro B60"),
        ("Apple M3 Max", 36864, "Apple M3 Max 30-core GPU"),
        ("Apple M3 Max", 65536, "Apple M3 Max 40-core GPU"),
    ],
)
def test_a_probed_gpu_is_matched_by_name_and_size(
    gpus: tuple[GpuSpec, ...], nvml_name: str, mib: int, name: str
) -> None:
    spec = match_gpu(gpus, nvml_name, mib << 20)
    assert spec is not None
    assert spec.name == name


def test_a_probed_gpu_without_a_size_is_matched_only_when_its_name_decides(gpus: tuple[GpuSpec, ...]) -> None:
    spec = match_gpu(gpus, "NVIDIA L40S", None)
    assert spec is not None
    assert spec.name == "L40S"
    assert match_gpu(gpus, "NVIDIA GeForce RTX 4060 Ti", None) is None


@pytest.mark.parametrize(
    "name", ["", "NVIDIA GeForce GT 710", "AMD Radeon Graphics", "NVIDIA A100-SXM4-40GB MIG 1g.5gb"]
)
def test_an_unknown_probed_gpu_has_no_row(gpus: tuple[GpuSpec, ...], name: str) -> None:
    assert match_gpu(gpus, name, 8 * GIB) is None


# Processors


@pytest.mark.parametrize(("model_name", "name"), PROCESSORS.items())
def test_a_processor_is_matched_by_its_model_name(cpus: tuple[CpuSpec, ...], model_name: str, name: str) -> None:
    spec = match_cpu(cpus, model_name)
    assert spec is not None
    assert spec.name == name


@pytest.mark.parametrize(
    "model_name", ["", "Intel(R) Xeon(R) CPU @ 2.20GHz", "AMD EPYC-Rome Processor", "Cortex-A53", "Apple M", "QEMU CPU"]
)
def test_an_unknown_processor_has_no_row(cpus: tuple[CpuSpec, ...], model_name: str) -> None:
    assert match_cpu(cpus, model_name) is None
