"""The whole probe on this machine and on trees that hold nothing or nonsense."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from advisor.domain.hardware import Machine, Reading
from advisor.probe.snapshot import probe_machine
from tests.probe.building import engine


def readings(value: Any) -> Iterator[Reading[Any]]:
    if isinstance(value, Reading):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from readings(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from readings(getattr(value, field.name))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return probe_machine(engine(), disk_path=tmp_path)


def test_every_reading_has_a_source_and_a_value_or_a_reason(machine: Machine) -> None:
    found = list(readings(machine))
    assert len(found) >= 14
    for reading in found:
        assert reading.source
        assert (reading.value is None) == bool(reading.reason)


def test_the_probed_machine_is_not_simulated(machine: Machine) -> None:
    assert machine.simulated is False


def test_the_figures_are_those_of_psutil(machine: Machine) -> None:
    assert machine.memory.total_bytes.value == psutil.virtual_memory().total
    assert machine.cpu.logical_cores.value == psutil.cpu_count()


def test_the_engine_is_the_one_given(machine: Machine) -> None:
    assert machine.engine == engine()


def test_an_empty_tree_gives_reasons(tmp_path: Path) -> None:
    machine = probe_machine(engine(), disk_path=tmp_path, root=tmp_path)
    assert machine.cpu.name.reason
    assert machine.memory.limit_bytes.reason
    assert machine.memory.total_bytes.value


def test_a_tree_of_directories_where_files_belong_gives_reasons(tmp_path: Path) -> None:
    for path in ("proc/cpuinfo", "proc/self/cgroup", "proc/self/mountinfo", "sys/class/drm/card0/device/vendor"):
        (tmp_path / path).mkdir(parents=True)
    machine = probe_machine(engine(), disk_path=tmp_path, root=tmp_path)
    assert machine.cpu.name.reason
    assert machine.memory.limit_bytes.reason


def test_an_amd_card_in_the_tree_becomes_a_finding(tmp_path: Path) -> None:
    device = tmp_path / "sys/class/drm/card1/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x1002\n")
    machine = probe_machine(engine(), disk_path=tmp_path, root=tmp_path)
    assert any("AMD GPU" in finding.text for finding in machine.findings)


def test_importing_the_probe_loads_neither_the_binding_nor_the_schemas() -> None:
    script = (
        "import sys, advisor.probe.snapshot, advisor.probe.simulate;"
        "print(sorted({'pynvml', 'pydantic', 'tomlkit', 'llama_cpp'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    child = subprocess.run([sys.executable, "-c", script], cwd=root, check=True, capture_output=True, text=True)
    assert child.stdout.strip() == "[]"
