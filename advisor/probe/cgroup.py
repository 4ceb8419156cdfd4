"""What control groups leave to this process: the tightest memory limit and CPU quota on its way up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from advisor.domain.hardware import Reading
from advisor.probe.cgroup_tree import CgroupLevel, levels
from advisor.probe.readings import describe, read_text, unknown
from advisor.values import value

SOURCE = "cgroup"
NO_LIMIT_BYTES = 1 << 60
"""Version 1 writes LONG_MAX rounded down to a page where there is no limit (mm/page_counter.c)."""

_HINT = "Run outside of the container to see the limits of the machine itself."


@value
class CgroupLimits:
    """Limits of this process; a reading without value and with the reason where there is none."""

    memory_bytes: Reading[int]
    memory_left_bytes: Reading[int]
    """What may still be allocated under every limit, reclaimable page cache counted as free."""
    cpu_cores: Reading[float]


@dataclass(slots=True)
class _Files:
    """Reads small files and remembers which could not be used."""

    problems: list[str] = field(default_factory=list)

    def text(self, path: Path) -> str | None:
        try:
            return read_text(path).strip()
        except FileNotFoundError:
            return None  # a controller that is not enabled at this level, which is no limit
        except (OSError, ValueError) as error:
            self.problems.append(describe(error))
            return None

    def limit(self, path: Path) -> int | None:
        text = self.text(path)
        if text is None or text in ("max", "-1"):
            return None
        value = parse_number(text)
        if value is None:
            self.problems.append(f"{path}: not a number")
        return value

    def number(self, path: Path) -> int | None:
        return parse_number(self.text(path) or "")


@value
class _MemoryLimit:
    """A limit and what is left under it."""

    limit_bytes: int
    left_bytes: int
    source: str


def read_cgroup_limits(root: Path = Path("/")) -> CgroupLimits:
    """The limits of this process. Never raises."""
    memory, left = _memory(root)
    return CgroupLimits(memory, left, _cpu_cores(root))


def parse_number(text: str) -> int | None:
    """A count in decimal digits that fits into 64 bits, else None."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return int(text)


def parse_stat(text: str) -> dict[str, int]:
    """Counters of a memory.stat file by name; lines of another form are left out."""
    pairs = (line.split() for line in text.splitlines())
    numbers = ((pair[0], parse_number(pair[1])) for pair in pairs if len(pair) == 2)
    return {name: value for name, value in numbers if value is not None}


def parse_quota(text: str) -> float | None:
    """Cores granted by the two numbers of cpu.max, quota and period; None where there is no quota."""
    parts = text.split()
    if len(parts) != 2:
        return None
    quota, period = parse_number(parts[0]), parse_number(parts[1])
    return quota / period if quota and period else None


def _levels(controller: str, root: Path) -> tuple[CgroupLevel, ...] | str:
    try:
        return levels(controller, root)
    except FileNotFoundError:
        return "this system has no control groups"
    except (OSError, ValueError) as error:
        return describe(error)


def _memory(root: Path) -> tuple[Reading[int], Reading[int]]:
    found = _levels("memory", root)
    if isinstance(found, str):
        return unknown(SOURCE, found), unknown(SOURCE, found)
    files = _Files()
    limits = [limit for level in found if (limit := _memory_limit(level, files)) is not None]
    if not limits:
        reason, hint = _no_limit("memory", files.problems)
        return unknown(SOURCE, reason, hint), unknown(SOURCE, reason, hint)
    smallest = min(limits, key=lambda limit: limit.limit_bytes)
    fullest = min(limits, key=lambda limit: limit.left_bytes)
    return (
        Reading(smallest.limit_bytes, f"cgroup {smallest.source}"),
        Reading(fullest.left_bytes, f"cgroup {fullest.source}"),
    )


def _no_limit(what: str, problems: Iterable[str]) -> tuple[str, str | None]:
    problem = next(iter(problems), None)
    return (f"no cgroup limits {what}", None) if problem is None else (problem, _HINT)


def _memory_limit(level: CgroupLevel, files: _Files) -> _MemoryLimit | None:
    read = _memory_limit_v2 if level.version == 2 else _memory_limit_v1
    return read(level.directory, files)


def _memory_limit_v2(directory: Path, files: _Files) -> _MemoryLimit | None:
    # Above memory.high a process is throttled until it hardly runs, so it bounds as memory.max does.
    named = [(files.limit(directory / name), name) for name in ("memory.max", "memory.high")]
    stat = parse_stat(files.text(directory / "memory.stat") or "")
    return _tightest(named, files.number(directory / "memory.current"), stat.get("inactive_file", 0))


def _memory_limit_v1(directory: Path, files: _Files) -> _MemoryLimit | None:
    # Groups above a container's mount are invisible but count in hierarchical_memory_limit.
    stat = parse_stat(files.text(directory / "memory.stat") or "")
    named = [
        (files.limit(directory / "memory.limit_in_bytes"), "memory.limit_in_bytes"),
        (stat.get("hierarchical_memory_limit"), "memory.stat hierarchical_memory_limit"),
    ]
    used = files.number(directory / "memory.usage_in_bytes")
    return _tightest(named, used, stat.get("total_inactive_file", 0))


def _tightest(named: Iterable[tuple[int | None, str]], used: int | None, reclaimable: int) -> _MemoryLimit | None:
    bounds = [(limit, name) for limit, name in named if limit is not None and limit < NO_LIMIT_BYTES]
    if not bounds:
        return None
    limit, name = min(bounds)
    if used is None:
        return _MemoryLimit(limit, limit, name)
    return _MemoryLimit(limit, max(0, limit - max(0, used - reclaimable)), name)


def _cpu_cores(root: Path) -> Reading[float]:
    found = _levels("cpu", root)
    if isinstance(found, str):
        return unknown(SOURCE, found)
    files = _Files()
    quotas = [quota for level in found if (quota := _quota(level, files)) is not None]
    if not quotas:
        return unknown(SOURCE, *_no_limit("the processor", files.problems))
    cores, name = min(quotas)
    return Reading(cores, f"cgroup {name}")


def _quota(level: CgroupLevel, files: _Files) -> tuple[float, str] | None:
    if level.version == 2:
        text, name = files.text(level.directory / "cpu.max"), "cpu.max"
    else:
        parts = (files.text(level.directory / f"cpu.cfs_{part}_us") for part in ("quota", "period"))
        text, name = " ".join(part or "" for part in parts), "cpu.cfs_quota_us"
    cores = parse_quota(text or "")
    return None if cores is None else (cores, name)
