"""A fleet as plain values."""

from __future__ import annotations

from typing import Any

from advisor.domain.fleet import Fleet
from advisor.export.documents import machine_document

Document = dict[str, Any]


def fleet_document(fleet: Fleet) -> Document:
    """Machines that serve together, and those that could not be probed."""
    return {
        "source": fleet.source,
        "nodes": [{"name": node.name, "machine": machine_document(node.machine)} for node in fleet.nodes],
        "failures": [{"name": f.name, "reason": f.reason, "hint": f.hint} for f in fleet.failures],
    }
