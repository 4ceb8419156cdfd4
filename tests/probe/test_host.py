"""Processor and memory of this machine and of built trees, beside what psutil and the kernel say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from advisor.domain.hardware import Reading
from advisor.probe.cgroup import CgroupLimits, read_cgroup_limits
from advisor.probe.host import platform_name, read_cpu, read_memory
from advisor.probe.readings import attempt
from advisor.units import GIB, MIB


def limits(memory: int | None = None, left: int | None = None, cores: float | None = None) -> CgroupLimits:
    none: Reading[Any] = Reading(None, "cgroup", "no limit")
    return CgroupLimits(
        none if memory is None else Reading(memory, "cgroup"),
        none if left is None else Reading(left, "cgroup"),
        none if cores is None else Reading(cores, "cgroup"),
    )


def test_core_counts_are_psutils() -> None:
    cpu = read_cpu(limits())
    assert cpu.logical_cores.value == psutil.cpu_count(logical=True)
    assert cpu.physical_cores.value == psutil.cpu_count(logical=False)


def test_without_quota_the_affinity_counts() -> None:
    assert read_cpu(limits()).usable_cores.value == len(os.sched_getaffinity(0))


def test_a_quota_below_the_affinity_counts() -> None:
    usable = read_cpu(limits(cores=0.5)).usable_cores
    assert (usable.value, usable.source) == (0.5, "cgroup")


def test_a_quota_above_the_affinity_does_not_add_cores() -> None:
    assert read_cpu(limits(cores=4096.0)).usable_cores.value == len(os.sched_getaffinity(0))


def test_a_child_bound_to_one_core_can_use_one() -> None:
    script = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from advisor.probe.cgroup import read_cgroup_limits; from advisor.probe.host import read_cpu;"
        "limits = read_cgroup_limits();"
        "print(read_cpu(limits).usable_cores.value == min(1.0, limits.cpu_cores.value or 1.0))"
    )
    root = Path(__file__).parents[2]
    output = subprocess.run([sys.executable, "-c", script], cwd=root, check=True, capture_output=True, text=True)
    assert output.stdout.strip() == "True"


def test_name_and_sets_come_from_the_tree(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("model name : A Processor\nflags : sse avx2 avx\n")
    cpu = read_cpu(limits(), tmp_path)
    assert cpu.name == Reading("A Processor", "/proc/cpuinfo")
    assert cpu.instruction_sets.value == ("avx", "avx2")


def test_a_missing_cpuinfo_is_a_reason(tmp_path: Path) -> None:
    cpu = read_cpu(limits(), tmp_path)
    assert cpu.name.value is None
    assert "No such file" in (cpu.name.reason or "")
    assert cpu.instruction_sets.value is None


def test_total_memory_is_psutils() -> None:
    assert read_memory(limits()).total_bytes.value == psutil.virtual_memory().total


def test_available_memory_is_close_to_psutils() -> None:
    available = read_memory(limits()).available_bytes.value
    assert available == pytest.approx(psutil.virtual_memory().available, abs=2 * GIB)


def test_a_full_group_has_less_available_than_the_host() -> None:
    memory = read_memory(limits(memory=2 * GIB, left=5 * MIB))
    assert memory.available_bytes == Reading(5 * MIB, "cgroup")
    assert memory.limit_bytes.value == 2 * GIB
    assert memory.capacity_bytes == 2 * GIB


def test_a_limit_above_the_total_is_no_limit() -> None:
    memory = read_memory(limits(memory=1 << 50, left=1 << 50))
    assert memory.limit_bytes.value is None
    assert "exceeds" in (memory.limit_bytes.reason or "")
    assert memory.available_bytes.source == "psutil"
    assert memory.capacity_bytes == psutil.virtual_memory().total


def test_a_limit_in_a_tree_reaches_the_memory_reading(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text("30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "cg").mkdir()
    (tmp_path / "cg/memory.max").write_text(f"{64 * MIB}\n")
    (tmp_path / "cg/memory.current").write_text(f"{16 * MIB}\n")
    memory = read_memory(read_cgroup_limits(tmp_path))
    assert memory.limit_bytes.value == 64 * MIB
    assert memory.available_bytes.value == 48 * MIB


def test_the_platform_has_system_and_architecture() -> None:
    assert platform_name() == f"{sys.platform}-{os.uname().machine}"


def test_an_attempt_that_fails_carries_the_systems_words() -> None:
    reading = attempt("a file", lambda: Path("/no/such/file").read_text())
    assert reading == Reading(None, "a file", "/no/such/file: No such file or directory")


def test_an_attempt_without_answer_carries_the_given_reason() -> None:
    assert attempt("psutil", lambda: None, missing="not here").reason == "not here"
