"""The constants of speed estimates: knowledge/speed.toml, which `benchmarks/fit_speed.py` generates."""

from __future__ import annotations

from pathlib import Path

from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.speed.constants import CpuConstants, GpuConstants, SpeedConstants, cautious

FILE = "speed.toml"


def load_speed(directory: Path, reader: KnowledgeReader | None = None) -> SpeedConstants:
    """The constants of a knowledge directory. Raises InputError when the file cannot be read or breaks its schema."""
    document = (reader or KnowledgeReader(directory)).read(directory / FILE, "speed")
    arm, x86 = (CpuConstants(**document["cpu"][family]) for family in ("arm", "x86"))
    return SpeedConstants(
        gpu={backend: GpuConstants(**row) for backend, row in document["gpu"].items()},
        cpu={"arm": arm, "x86": x86, "unknown": cautious(x86, arm)},
        **document["general"],
    )
