"""Writing a machine file, with comments that say where each value comes from."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from advisor.domain.hardware import Gpu, Machine, Memory, Reading
from advisor.units import GIB, MIB, format_bytes

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

_GIGA = 10**9


def machine_file_text(machine: Machine) -> str:
    """A machine as TOML text that `read_machine_file` takes; what is unknown is left out, with the reason."""
    import tomlkit  # only a written file needs it, and it is slow to import

    document = tomlkit.document()
    document.add(tomlkit.comment("A machine to advise for: llm-advisor recommend --machine FILE"))
    document.add("schema_version", tomlkit.item(1))
    document.add(tomlkit.nl())
    add_machine(document, machine)
    return tomlkit.dumps(document)


def add_machine(container: TOMLDocument | Table, machine: Machine) -> None:
    """Put the tables of a machine into a document, or into a table of one."""
    container.add("cpu", _cpu(machine))
    container.add("memory", _memory(machine.memory))
    _add_gpus(container, machine)


def _cpu(machine: Machine) -> Table:
    import tomlkit

    table = tomlkit.table()
    _put(table, "name", machine.cpu.name)
    _put(table, "cores", usable_physical_cores(machine))
    return table


def usable_physical_cores(machine: Machine) -> Reading[int]:
    """Physical cores, as far as affinity and quota leave them, at least 1."""
    physical, usable = machine.cpu.physical_cores, machine.cpu.usable_cores
    known = [(reading.value, reading.source) for reading in (physical, usable) if reading.value is not None]
    if not known:
        return physical
    value, source = min(known, key=lambda pair: pair[0])
    return Reading(max(1, int(value)), source)


def _memory(memory: Memory) -> Table:
    import tomlkit

    table = tomlkit.table()
    total, limit = memory.total_bytes, memory.limit_bytes
    capacity = limit if limit.value is not None and limit.value == memory.capacity_bytes else total
    _put(table, "total", capacity, size=True)
    _put(table, "available", memory.available_bytes, size=True)
    _put_bandwidth(table, memory.bandwidth_bytes_per_s)
    return table


def _add_gpus(document: TOMLDocument | Table, machine: Machine) -> None:
    import tomlkit

    tables = tomlkit.aot()
    for _, group in groupby(machine.gpus, key=_kind):
        gpu, *others = group
        if gpu.name.value is None and gpu.total_bytes.value is None:
            document.add(tomlkit.comment(one_comment(f"GPU {gpu.index} is left out: {gpu.name.reason}")))
            continue
        tables.append(_gpu(gpu, 1 + len(others)))
    if tables:
        document.add("gpu", tables)
    elif machine.gpu_query.value is None:
        document.add(tomlkit.comment(one_comment(f"no gpu: {machine.gpu_query.reason}")))


def _kind(gpu: Gpu) -> tuple[object, ...]:
    unusable = gpu.index if gpu.name.value is None and gpu.total_bytes.value is None else None
    return gpu.name.value, gpu.total_bytes.value, gpu.bandwidth_bytes_per_s, gpu.unified_memory, unusable


def _gpu(gpu: Gpu, count: int) -> Table:
    import tomlkit

    table = tomlkit.table()
    _put(table, "name", gpu.name)
    _put(table, "memory", gpu.total_bytes, size=True)
    table.add("count", count)
    _put_bandwidth(table, gpu.bandwidth_bytes_per_s)
    if gpu.unified_memory:
        table.add("unified_memory", tomlkit.item(True).comment("its memory is that of the system"))
    return table


def _put(table: Table, key: str, reading: Reading[Any], *, size: bool = False) -> None:
    import tomlkit

    if reading.value is None or reading.value == "":
        table.add(tomlkit.comment(one_comment(f"{key} is unknown: {reading.reason}")))
        return
    value = tomlkit.item(_size(reading.value) if size else reading.value)
    note = f"{format_bytes(reading.value)}, {reading.source}" if size else reading.source
    table.add(key, value.comment(one_comment(note)))


def _put_bandwidth(table: Table, bytes_per_s: float | None) -> None:
    if bytes_per_s is None:
        return
    giga = f"{bytes_per_s / _GIGA:.10g}"
    exact = "e" not in giga and float(giga) * _GIGA == bytes_per_s
    table.add("bandwidth", f"{giga} GB/s" if exact else bytes_per_s)


def _size(n_bytes: int) -> str | int:
    """`64GiB` where that is exact, else the number of bytes."""
    for factor, unit in ((GIB, "GiB"), (MIB, "MiB")):
        if n_bytes and n_bytes % factor == 0:
            return f"{n_bytes // factor}{unit}"
    return n_bytes


def one_comment(text: str) -> str:
    """A comment's text on one line: what a driver says must not end the comment."""
    return "".join(c if c.isprintable() else " " for c in text)
