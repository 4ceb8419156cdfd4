"""Machine files: a machine written down, to advise for it elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from advisor._toml import load_toml
from advisor.domain.hardware import Cpu, Gpu, Machine, Memory, Reading
from advisor.errors import InputError
from advisor.probe.machine_text import machine_file_text
from advisor.probe.readings import unknown
from advisor.probe.simulate import unknown_machine
from advisor.schema_errors import explained
from advisor.units import parse_size

__all__ = ["MachineFile", "machine_file_text", "parse_bandwidth", "read_machine_file"]

_BANDWIDTH = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<factor>[MGT])B/s", re.IGNORECASE)
_FACTORS = {"M": 10**6, "G": 10**9, "T": 10**12}
HOW_TO_WRITE = "Write one with: llm-advisor probe -o FILE"
MAX_GPUS = 1024
"""Of one machine; the largest that are sold as one have 72."""
_MAX_BYTES = 1 << 60
_MAX_BYTES_PER_S = 1e18


def parse_bandwidth(text: str) -> float:
    """Bytes per second meant by `1008 GB/s`; decimal, as vendors publish it. Raises ValueError."""
    match = _BANDWIDTH.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no bandwidth; write for example 1008 GB/s or a number of bytes per second")
    return float(match["number"]) * _FACTORS[match["factor"].upper()]


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _rate(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        # Beyond the largest float, which the bound would otherwise never see.
        return float(max(-1, min(value, 10**30)))
    return parse_bandwidth(value) if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(_size), Field(strict=True, gt=0, le=_MAX_BYTES)]
FreeSize = Annotated[int, BeforeValidator(_size), Field(strict=True, ge=0, le=_MAX_BYTES)]
Bandwidth = Annotated[float, BeforeValidator(_rate), Field(strict=True, gt=0, le=_MAX_BYTES_PER_S)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=200)]


class MachineFileTable(BaseModel):
    """A table that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CpuTable(MachineFileTable):
    """The processor; `cores` are physical ones that the engine may use."""

    name: Name | None = None
    cores: Annotated[int, Field(strict=True, gt=0, le=1 << 16)] | None = None


class MemoryTable(MachineFileTable):
    """System memory, in bytes or as `64GiB`; bandwidth in bytes per second or as `89.6 GB/s`."""

    total: Size | None = None
    available: FreeSize | None = None
    bandwidth: Bandwidth | None = None


class GpuTable(MachineFileTable):
    """Equal GPUs; `memory` and `bandwidth` are those of one."""

    name: Name | None = None
    memory: Size | None = None
    count: Annotated[int, Field(strict=True, gt=0, le=MAX_GPUS)] = 1
    bandwidth: Bandwidth | None = None
    unified_memory: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _says_something(self) -> GpuTable:
        if self.name is None and self.memory is None:
            raise ValueError("a GPU needs a name or a memory size")
        return self


def n_gpus(tables: Iterable[GpuTable]) -> int:
    """How many devices the tables stand for."""
    return sum(table.count for table in tables)


class MachineTables(MachineFileTable):
    """What a file says about one machine."""

    cpu: CpuTable = CpuTable()
    memory: MemoryTable = MemoryTable()
    gpu: tuple[GpuTable, ...] = ()

    @field_validator("gpu")
    @classmethod
    def _can_be_counted(cls, tables: tuple[GpuTable, ...]) -> tuple[GpuTable, ...]:
        if n_gpus(tables) > MAX_GPUS:
            raise ValueError(f"{n_gpus(tables):,} GPUs in one machine, more than {MAX_GPUS:,}")
        return tables


class MachineFile(MachineTables):
    """The whole file."""

    schema_version: Annotated[int, Field(strict=True, ge=1, le=1)] = 1


def read_machine_file(path: Path) -> Machine:
    """The simulated machine of a file. Raises InputError naming the file, the key and the nearest valid key."""
    document = load_toml(path, hint=HOW_TO_WRITE)
    if "node" in document:
        hint = "recommend --machine and plan --fleet take one."
        raise InputError(f"{path} describes several machines, and here one is needed", hint=hint)
    try:
        content = MachineFile.model_validate(document)
    except ValidationError as error:
        raise explained(error, MachineFile, document, name=str(path)) from error
    return described_machine(content, path.name)


def described_machine(content: MachineTables, source: str) -> Machine:
    """The simulated machine of these tables; what they leave out is unknown because `source` does not say."""
    base = unknown_machine(f"{source} does not say", source)
    gpus = tuple(_gpus(content.gpu, source))
    return Machine(
        simulated=True,
        platform=base.platform,
        cpu=_cpu(content.cpu, source),
        memory=_memory(content.memory, source),
        gpus=gpus,
        gpu_query=Reading(len(gpus), source),
        engine=base.engine,
        disk_free_bytes=base.disk_free_bytes,
    )


def _cpu(table: CpuTable, source: str) -> Cpu:
    cores = _stated(table.cores, source)
    return Cpu(
        name=_stated(table.name, source),
        physical_cores=cores,
        logical_cores=_stated(None, source),
        usable_cores=_stated(None if table.cores is None else float(table.cores), source),
        instruction_sets=_stated(None, source),
    )


def _memory(table: MemoryTable, source: str) -> Memory:
    return Memory(
        total_bytes=_stated(table.total, source),
        available_bytes=_stated(table.available, source),
        limit_bytes=_stated(None, source),
        bandwidth_bytes_per_s=table.bandwidth,
    )


def _gpus(tables: tuple[GpuTable, ...], source: str) -> list[Gpu]:
    each = [table for table in tables for _ in range(table.count)]
    return [
        Gpu(
            index,
            name=_stated(table.name, source),
            total_bytes=_stated(table.memory, source),
            free_bytes=_stated(None, source),
            driver=_stated(None, source),
            mig=Reading(False, source),
            unified_memory=table.unified_memory,
            bandwidth_bytes_per_s=table.bandwidth,
        )
        for index, table in enumerate(each)
    ]


def _stated(value: Any, source: str) -> Reading[Any]:
    return unknown(source, f"{source} does not say") if value is None else Reading(value, source)
