"""Several machines as one snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.hardware import Machine


@dataclass(frozen=True, slots=True)
class FleetNode:
    """One machine of a fleet."""

    name: str
    """Unique in the fleet: its address, or what a fleet file calls it."""
    machine: Machine


@dataclass(frozen=True, slots=True)
class NodeFailure:
    """A machine of which nothing is known."""

    name: str
    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines that serve together, in the order of their names, and those that could not be probed."""

    source: str
    """Where it was read: the address of a Ray cluster, or a file."""
    nodes: tuple[FleetNode, ...]
    failures: tuple[NodeFailure, ...] = ()
