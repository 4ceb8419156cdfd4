"""Processor and system memory, as much of them as this process may use."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil

from advisor.domain.hardware import Cpu, Memory, Reading
from advisor.files import is_there
from advisor.probe.cgroup import CgroupLimits
from advisor.probe.cpuinfo import CpuInfo, parse_cpuinfo
from advisor.probe.native import native_cpuinfo
from advisor.probe.readings import attempt, read_text, unknown

T = TypeVar("T")


def platform_name() -> str:
    """Operating system and architecture, for example `linux-x86_64`."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)
    return f"{system}-{platform.machine().lower() or 'unknown'}"


def read_cpu(limits: CgroupLimits, root: Path = Path("/")) -> Cpu:
    """The processor. Never raises."""
    logical = attempt("psutil", lambda: psutil.cpu_count(logical=True))
    source, info = _cpuinfo(root)
    return Cpu(
        name=_of(info, lambda found: found.name, source, "the system names no processor"),
        physical_cores=attempt("psutil", lambda: psutil.cpu_count(logical=False)),
        logical_cores=logical,
        usable_cores=_usable_cores(limits.cpu_cores, logical),
        instruction_sets=_of(info, lambda found: found.instruction_sets, source, "the system lists no features"),
    )


def read_memory(limits: CgroupLimits) -> Memory:
    """System memory in bytes, the cgroup's limits respected. Never raises."""
    virtual = attempt("psutil", psutil.virtual_memory)
    total = _part(virtual, lambda found: found.total)
    available = _part(virtual, lambda found: found.available)
    return Memory(
        total_bytes=total,
        available_bytes=_smaller(available, limits.memory_left_bytes),
        limit_bytes=_below(limits.memory_bytes, total.value),
    )


def _cpuinfo(root: Path) -> tuple[str, Reading[CpuInfo]]:
    path = root / "proc/cpuinfo"
    if sys.platform == "linux" or is_there(path):
        return "/proc/cpuinfo", attempt("/proc/cpuinfo", lambda: parse_cpuinfo(read_text(path)))
    source = {"darwin": "sysctl", "win32": "registry"}.get(sys.platform, "platform")
    return source, attempt(source, native_cpuinfo)


def _of(info: Reading[CpuInfo], part: Callable[[CpuInfo], T | None], source: str, missing: str) -> Reading[T]:
    if info.value is None:
        return unknown(source, info.reason or missing)
    value = part(info.value)
    return unknown(source, missing) if value is None else Reading(value, source)


def _usable_cores(quota: Reading[float], logical: Reading[int]) -> Reading[float]:
    """The smaller of affinity and quota; every logical core where a system knows neither."""
    affinity = attempt("affinity", _affinity)
    if affinity.value is None:
        affinity = logical
    if affinity.value is None:
        return unknown(affinity.source, affinity.reason or "not reported", affinity.hint)
    cores = Reading(float(affinity.value), affinity.source)
    return quota if quota.value is not None and quota.value < affinity.value else cores


def _affinity() -> int | None:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    if sys.platform == "win32":
        return len(psutil.Process().cpu_affinity())
    return None


def _part(virtual: Reading[Any], part: Callable[[Any], int]) -> Reading[int]:
    if virtual.value is None:
        return unknown(virtual.source, virtual.reason or "not reported")
    return Reading(int(part(virtual.value)), virtual.source)


def _smaller(host: Reading[int], group: Reading[int]) -> Reading[int]:
    if host.value is None or group.value is None:
        return host if group.value is None else group
    return host if host.value <= group.value else group


def _below(limit: Reading[int], total: int | None) -> Reading[int]:
    if limit.value is not None and total is not None and limit.value >= total:
        return unknown(limit.source, "the cgroup limit exceeds the memory of the machine")
    return limit
