"""Machines that a plan can be made of."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.hardware import GpuSpec


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of a machine costs."""

    usd_hour: float
    source: str
    checked: str
    """ISO date."""


@dataclass(frozen=True, slots=True)
class Node:
    """One kind of machine."""

    name: str
    gpu: GpuSpec
    count: int
    memory_bytes: int | None
    """System memory; None where unknown."""
    cores: int | None
    link_bytes_per_s: float | None
    """One direction between two of its GPUs; None with one GPU."""
    network_bytes_per_s: float | None
    """Between two such machines."""
    fp8: bool
    price: Price | None
    source: str
