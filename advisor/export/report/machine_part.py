"""The recorded machine in a report."""

from __future__ import annotations

from typing import Any

from advisor.export.machine_record import MachineTable
from advisor.export.tables import ReadingTable
from advisor.units import format_bytes


def machine_rows(machine: MachineTable) -> list[tuple[str, str, str]]:
    """Name, value and source of what was read."""
    cpu, memory, engine = machine.cpu, machine.memory, machine.engine
    rows = [
        ("platform", machine.platform, "described" if machine.simulated else "probed"),
        _row("processor", cpu.name),
        _row("physical cores", cpu.physical_cores),
        _row("usable cores", cpu.usable_cores),
        _row("memory", memory.total_bytes, bytes_=True),
        _row("memory free when read", memory.available_bytes, bytes_=True),
        _row("memory limit", memory.limit_bytes, bytes_=True),
    ]
    for gpu in machine.gpus:
        name = f"GPU {gpu.index}"
        rows += [_row(name, gpu.name), _row(f"{name} memory", gpu.total_bytes, bytes_=True)]
    if not machine.gpus:
        rows.append(_row("GPUs", machine.gpu_query))
    rows += [_row("llama-cpp-python", engine.version), _row("it can use GPUs", engine.gpu_offload)]
    return rows


def capacity_of(machine: MachineTable, device: str) -> int | None:
    """All memory of a device of the footprint, in bytes: `RAM`, `GPU0`. None where it is not known."""
    if device == "RAM":
        known = (machine.memory.total_bytes.value, machine.memory.limit_bytes.value)
        return min((n for n in known if n is not None), default=None)
    for gpu in machine.gpus:
        if device == f"GPU{gpu.index}":
            return gpu.total_bytes.value
    return None


def _row(name: str, reading: ReadingTable[Any], *, bytes_: bool = False) -> tuple[str, str, str]:
    value = reading.value
    if value is None:
        return name, f"unknown - {reading.reason or 'not reported'}", reading.source
    if isinstance(value, bool):
        return name, "yes" if value else "no", reading.source
    return (
        name,
        format_bytes(value) if bytes_ else f"{value:g}" if isinstance(value, float) else str(value),
        reading.source,
    )
