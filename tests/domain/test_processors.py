from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.catalog.hardware import load_cpus
from advisor.domain.hardware import CpuFamily, CpuSpec, Machine
from advisor.domain.processors import cpu_family
from advisor.paths import knowledge_dir
from tests.builders import MADE, machine, reading

GRAVITON = CpuSpec("AWS Graviton3", (), 64, 307e9, MADE, "arm")


def described(platform: str, name: str | None = None, sets: tuple[str, ...] | None = None) -> Machine:
    base = machine()
    return replace(base, platform=platform, cpu=replace(base.cpu, name=reading(name), instruction_sets=reading(sets)))


@pytest.mark.parametrize(
    ("platform", "family"),
    [
        ("linux-x86_64", "x86"),
        ("windows-amd64", "x86"),
        ("darwin-arm64", "arm"),
        ("linux-aarch64", "arm"),
        ("linux-armv7l", "arm"),
        ("linux-riscv64", "unknown"),
        ("linux-ppc64le", "unknown"),
    ],
)
def test_the_platform_tells_the_family(platform: str, family: CpuFamily) -> None:
    assert cpu_family(described(platform), None) == family


def test_the_instruction_sets_tell_it_where_the_platform_does_not() -> None:
    assert cpu_family(described("unknown", sets=("avx2", "fma")), GRAVITON) == "x86"
    assert cpu_family(described("unknown", sets=("dotprod", "neon")), None) == "arm"


def test_a_processor_of_a_machine_file_is_found_in_the_catalogue() -> None:
    assert cpu_family(described("unknown", "Graviton3"), GRAVITON) == "arm"


def test_another_architecture_is_no_guess_by_name() -> None:
    assert cpu_family(described("linux-riscv64", "AMD EPYC"), GRAVITON) == "unknown"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("AMD EPYC", "x86"),
        ("Intel(R) Core(TM) i5-9400F CPU @ 2.90GHz", "x86"),
        ("Apple M9 Max", "arm"),
        ("ARM Cortex-A76", "arm"),
        ("Snapdragon X Elite", "arm"),
        ("Farmer's Charm 3000", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_vendor_tells_it_where_nothing_else_does(name: str | None, family: CpuFamily) -> None:
    assert cpu_family(described("unknown", name), None) == family


def test_no_entry_of_the_catalogue_contradicts_its_vendor() -> None:
    for spec in load_cpus(knowledge_dir()):
        assert cpu_family(described("unknown", spec.name), None) in (spec.family, "unknown"), spec.name
