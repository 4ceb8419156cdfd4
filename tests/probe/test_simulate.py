"""Machines put together from published figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.hardware import Machine
from advisor.errors import InputError
from advisor.probe.simulate import parse_gpu_argument, simulated_machine
from advisor.probe.snapshot import probe_machine
from advisor.units import GIB
from tests.probe.building import engine, spec


@pytest.fixture
def base(tmp_path: Path) -> Machine:
    return probe_machine(engine(), disk_path=tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RTX 4090", ("RTX 4090", 1)),
        ("RTX 4090x2", ("RTX 4090", 2)),
        ("RTX 4090 x2", ("RTX 4090", 2)),
        (" H100 80GBx8 ", ("H100 80GB", 8)),
        ("H100 80GB×8", ("H100 80GB", 8)),
        ("MI300X", ("MI300X", 1)),
        ("MI300Xx8", ("MI300X", 8)),
        ("NVIDIA TITAN X", ("NVIDIA TITAN X", 1)),
        ("rtx4090", ("rtx4090", 1)),
        ("gtx980", ("gtx980", 1)),
        ("rx580", ("rx580", 1)),
        ("rtx4090x4", ("rtx4090", 4)),
        ("L40Sx16", ("L40S", 16)),
        ("2x RTX 4090", ("RTX 4090", 2)),
        ("8×H100 80GB", ("H100 80GB", 8)),
        ("8x MI300X", ("MI300X", 8)),
        ("4090", ("4090", 1)),
        ("RTX 4090xN", ("RTX 4090xN", 1)),
        ("RTX 4090x", ("RTX 4090x", 1)),
        ("none", ("none", 0)),
        (" None ", ("none", 0)),
    ],
)
def test_name_and_count_are_told_apart(text: str, expected: tuple[str, int]) -> None:
    assert parse_gpu_argument(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "RTX 4090x0", "RTX 4090x000", "0x RTX 4090"])
def test_no_name_or_no_count_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_gpu_argument(text)
    assert "H100 80GBx8" in (caught.value.hint or "")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name, count = parse_gpu_argument(text)
    except InputError:
        return
    assert name
    assert 0 <= count <= 999


@settings(deadline=None)
@given(st.sampled_from(["RTX 4090", "H100 80GB", "MI300X", "Arc A770", "M3 Max"]), st.integers(1, 999))
def test_a_count_behind_or_before_a_name_is_read_back(name: str, count: int) -> None:
    assert parse_gpu_argument(f"{name}x{count}") == (name, count)
    assert parse_gpu_argument(f"{count}x {name}") == (name, count)


def test_gpus_are_numbered_through(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[(spec("A", 24), 2), (spec("B", 48), 1)], ram_bytes=None)
    found = [(gpu.index, gpu.name.value, gpu.total_bytes.value) for gpu in machine.gpus]
    assert found == [(0, "A", 24 * GIB), (1, "A", 24 * GIB), (2, "B", 48 * GIB)]
    assert machine.gpu_query.value == 3
    assert machine.simulated is True


def test_what_is_not_overridden_comes_from_the_base(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[(spec("A", 24), 1)], ram_bytes=None)
    assert (machine.cpu, machine.memory, machine.platform) == (base.cpu, base.memory, base.platform)
    assert machine.disk_free_bytes == base.disk_free_bytes


def test_other_memory_keeps_the_gpus_and_the_engine(base: Machine) -> None:
    machine = simulated_machine(base, gpus=None, ram_bytes=64 * GIB)
    assert machine.memory.capacity_bytes == 64 * GIB
    assert machine.memory.total_bytes.source == "simulated"
    assert machine.memory.available_bytes.value is None
    assert (machine.gpus, machine.engine) == (base.gpus, base.engine)


def test_a_cgroup_limit_here_does_not_bind_the_simulated_memory(base: Machine) -> None:
    limited = replace(base, memory=replace(base.memory, limit_bytes=replace(base.memory.total_bytes, value=GIB)))
    assert simulated_machine(limited, gpus=None, ram_bytes=64 * GIB).memory.capacity_bytes == 64 * GIB


def test_the_bandwidth_of_the_base_outlives_another_memory_size(base: Machine) -> None:
    stated = replace(base, memory=replace(base.memory, bandwidth_bytes_per_s=89.6e9))
    assert simulated_machine(stated, gpus=None, ram_bytes=GIB).memory.bandwidth_bytes_per_s == 89.6e9


def test_this_engines_devices_do_not_speak_for_simulated_gpus(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[(spec("A", 24), 1)], ram_bytes=None)
    assert machine.engine.version == base.engine.version
    assert machine.engine.gpu_offload.value is None
    assert machine.engine.devices.value is None


def test_no_gpus_are_none_and_not_unknown(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[], ram_bytes=None)
    assert machine.gpus == ()
    assert machine.gpu_query.value == 0


def test_without_base_the_rest_is_unknown_with_a_reason() -> None:
    machine = simulated_machine(None, gpus=[(spec("A", 24), 1)], ram_bytes=None)
    for reading in (machine.cpu.name, machine.cpu.usable_cores, machine.memory.total_bytes, machine.engine.version):
        assert reading.value is None
        assert reading.reason
        assert reading.source == "simulated"


def test_unified_memory_brings_the_systems_memory(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[(spec("M3 Max", 128, unified=True), 1)], ram_bytes=None)
    assert machine.memory.capacity_bytes == 128 * GIB
    assert machine.gpus[0].unified_memory is True


def test_unified_memory_of_a_given_size_is_the_gpus_too(base: Machine) -> None:
    machine = simulated_machine(base, gpus=[(spec("M3 Max", 128, unified=True), 1)], ram_bytes=36 * GIB)
    assert machine.memory.capacity_bytes == 36 * GIB
    assert machine.gpus[0].total_bytes.value == 36 * GIB


def test_findings_about_the_real_machine_are_dropped(base: Machine) -> None:
    assert simulated_machine(base, gpus=[], ram_bytes=None).findings == ()
