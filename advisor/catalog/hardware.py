"""Published figures of GPUs and processors: knowledge/hardware/ read, and a device found by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from advisor.catalog.hardware_names import check_names, find_gpu, match_cpu, match_gpu
from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.hardware import CpuSpec, GpuSpec
from advisor.errors import InputError, nearest

__all__ = ["check_names", "find_gpu", "load_cpus", "load_gpus", "match_cpu", "match_gpu"]

_GIGA = 1e9
_TERA = 1e12


def load_gpus(directory: Path) -> tuple[GpuSpec, ...]:
    """The GPUs of `hardware/gpus.toml` in a knowledge directory, in its order.

    Raises InputError when the file cannot be read or breaks the schema; `check_names` looks for ambiguous names.
    """
    return tuple(
        GpuSpec(
            name=row["name"],
            aliases=tuple(row.get("aliases", ())),
            vendor=row["vendor"],
            backend=row["backend"],
            memory_bytes=row["memory"],
            bandwidth_bytes_per_s=row["bandwidth_gb_s"] * _GIGA,
            fp16_flops=_scaled(row.get("fp16_tflops")),
            int8_ops=_scaled(row.get("int8_tops")),
            unified_memory=row.get("unified_memory", False),
            source=source,
            stacked_memory=row.get("hbm", False),
        )
        for row, source in _rows(directory, "gpu")
    )


def load_cpus(directory: Path) -> tuple[CpuSpec, ...]:
    """The processors of `hardware/cpus.toml` in a knowledge directory. Raises InputError like `load_gpus`."""
    return tuple(
        CpuSpec(
            name=row["name"],
            aliases=tuple(row["aliases"]),
            cores=row["cores"],
            bandwidth_bytes_per_s=row["bandwidth_gb_s"] * _GIGA,
            source=source,
            family=row.get("family", "x86"),
        )
        for row, source in _rows(directory, "cpu")
    )


def _rows(directory: Path, table: Literal["gpu", "cpu"]) -> Iterator[tuple[dict[str, Any], str]]:
    """The valid rows of a file, each with what it rests on, for people: the source's text, address and date."""
    path = directory / "hardware" / f"{table}s.toml"
    document = KnowledgeReader(directory).read(path, "gpus" if table == "gpu" else "cpus")
    sources = {key: _source_line(source) for key, source in document["sources"].items()}
    for row in document[table]:
        key = row["source"]
        if key not in sources:
            where = f"{path}: {table}[{row['name']}].source"
            raise InputError(f"{where}: no source {key!r} in [sources]", hint=nearest(key, sources))
        yield row, sources[key]


def _source_line(source: Mapping[str, Any]) -> str:
    address = f" <{source['url']}>" if "url" in source else ""
    return f"{source['text']}{address}, checked {source['checked']}"


def _scaled(tera: float | None) -> float | None:
    return None if tera is None else tera * _TERA
