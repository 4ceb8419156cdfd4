"""The machine as a recommendation file records it, and the way back to the snapshot it was."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from advisor.domain.hardware import (
    Cpu,
    DeviceKind,
    Engine,
    EngineDevice,
    Finding,
    Gpu,
    Machine,
    Memory,
    Reading,
)
from advisor.export.tables import Count, OneLineTable, ReadingTable, Table

T = TypeVar("T")

_MOST_CORES, _MOST_RATE = 1 << 20, 10**18
"""No machine comes near them, and every arithmetic holds them."""

# A whole number of cores stays a whole number, so that the record of a record is the same text.
Cores = Annotated[int, Field(ge=0, le=_MOST_CORES)] | Annotated[float, Field(ge=0, le=_MOST_CORES)]
Bandwidth = Annotated[int, Field(gt=0, le=_MOST_RATE)] | Annotated[float, Field(gt=0, le=_MOST_RATE)]


class CpuTable(Table):
    """The processor."""

    name: ReadingTable[str]
    physical_cores: ReadingTable[Count]
    logical_cores: ReadingTable[Count]
    usable_cores: ReadingTable[Cores] = Field(description="left by CPU affinity and cgroup quota")
    instruction_sets: ReadingTable[list[str]]


class MemoryTable(Table):
    """System memory."""

    total_bytes: ReadingTable[Count]
    available_bytes: ReadingTable[Count] = Field(description="free for a new process when this was read")
    limit_bytes: ReadingTable[Count] = Field(description="cgroup limit; without a value there is none below the total")
    bandwidth_bytes_per_s: Bandwidth | None = Field(None, description="stated by a machine file")


class GpuTable(Table):
    """One GPU."""

    index: Count
    name: ReadingTable[str]
    total_bytes: ReadingTable[Count]
    free_bytes: ReadingTable[Count] = Field(description="when this was read")
    driver: ReadingTable[str]
    mig: ReadingTable[bool] = Field(description="split into Multi-Instance GPU parts")
    unified_memory: bool = Field(description="true: it shares the system's memory")
    bandwidth_bytes_per_s: Bandwidth | None = Field(None, description="stated by a machine file")


class DeviceTable(OneLineTable):
    """A device as llama.cpp lists it."""

    name: str
    description: str
    kind: DeviceKind
    total_bytes: Count
    free_bytes: Count | None = None


class DevicesTable(Table):
    """What the engine can compute on."""

    value: list[DeviceTable] | None = None
    source: str
    reason: str | None = None
    hint: str | None = None


class EngineTable(Table):
    """The llama.cpp that was installed."""

    version: ReadingTable[str]
    gpu_offload: ReadingTable[bool] = Field(description="whether it was built to use GPUs")
    system_info: ReadingTable[str]
    devices: DevicesTable


class FindingTable(Table):
    """Something about the machine that matters."""

    level: Literal["info", "warning"]
    text: str
    hint: str | None = None


class MachineTable(Table):
    """The one snapshot that the recommendation rests on. Each reading says where it comes from."""

    simulated: bool = Field(description="true: described by somebody, not probed")
    platform: str
    cpu: CpuTable
    memory: MemoryTable
    gpus: list[GpuTable]
    gpu_query: ReadingTable[Count] = Field(description="how many GPUs the driver reported")
    engine: EngineTable
    disk_free_bytes: ReadingTable[Count]
    findings: list[FindingTable]


def machine_from_record(table: MachineTable) -> Machine:
    """The snapshot that was recorded: `machine_document` of it is the recorded table."""
    memory = table.memory
    return Machine(
        simulated=table.simulated,
        platform=table.platform,
        cpu=_cpu(table.cpu),
        memory=Memory(
            total_bytes=_reading(memory.total_bytes),
            available_bytes=_reading(memory.available_bytes),
            limit_bytes=_reading(memory.limit_bytes),
            bandwidth_bytes_per_s=memory.bandwidth_bytes_per_s,
        ),
        gpus=tuple(_gpu(gpu) for gpu in table.gpus),
        gpu_query=_reading(table.gpu_query),
        engine=_engine(table.engine),
        disk_free_bytes=_reading(table.disk_free_bytes),
        findings=tuple(Finding(f.level, f.text, f.hint) for f in table.findings),
    )


def _reading(table: ReadingTable[T]) -> Reading[T]:
    return Reading(table.value, table.source, table.reason, table.hint)


def _cpu(table: CpuTable) -> Cpu:
    sets = table.instruction_sets
    return Cpu(
        name=_reading(table.name),
        physical_cores=_reading(table.physical_cores),
        logical_cores=_reading(table.logical_cores),
        usable_cores=_reading(table.usable_cores),
        instruction_sets=Reading(
            None if sets.value is None else tuple(sets.value), sets.source, sets.reason, sets.hint
        ),
    )


def _gpu(table: GpuTable) -> Gpu:
    return Gpu(
        index=table.index,
        name=_reading(table.name),
        total_bytes=_reading(table.total_bytes),
        free_bytes=_reading(table.free_bytes),
        driver=_reading(table.driver),
        mig=_reading(table.mig),
        unified_memory=table.unified_memory,
        bandwidth_bytes_per_s=table.bandwidth_bytes_per_s,
    )


def _engine(table: EngineTable) -> Engine:
    devices = table.devices
    found = devices.value
    listed = (
        None
        if found is None
        else tuple(EngineDevice(d.name, d.description, d.kind, d.total_bytes, d.free_bytes) for d in found)
    )
    return Engine(
        version=_reading(table.version),
        gpu_offload=_reading(table.gpu_offload),
        system_info=_reading(table.system_info),
        devices=Reading(listed, devices.source, devices.reason, devices.hint),
    )
