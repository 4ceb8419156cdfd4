"""The schema of the files in knowledge/hardware/."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from advisor.catalog.validation import MOST, DatedSource, StrictModel

_Name = Annotated[str, Field(min_length=1)]
_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(gt=0, le=MOST)]


class _GpuRow(StrictModel):
    name: _Name
    aliases: list[_Name] = Field(default_factory=list)
    vendor: Literal["nvidia", "amd", "intel", "apple"]
    backend: Literal["cuda", "rocm", "metal", "sycl", "vulkan"]
    memory: _Count
    bandwidth_gb_s: _Positive
    fp16_tflops: _Positive | None = None
    int8_tops: _Positive | None = None
    unified_memory: bool = False
    hbm: bool = False
    source: str


class _CpuRow(StrictModel):
    name: _Name
    aliases: Annotated[list[_Name], Field(min_length=1)]
    cores: _Count
    channels: _Positive | None = None
    memory: _Name | None = None
    bandwidth_gb_s: _Positive
    family: Literal["x86", "arm"] = "x86"
    source: str


class GpuFile(StrictModel):
    schema_version: Literal[1]
    gpu: list[_GpuRow]
    sources: dict[str, DatedSource]


class CpuFile(StrictModel):
    schema_version: Literal[1]
    cpu: list[_CpuRow]
    sources: dict[str, DatedSource]
