"""Findings and changes as plain values, and the user's list of published files as TOML."""

from __future__ import annotations

from typing import Any

from advisor.domain.upkeep.finding import Finding

Document = dict[str, Any]


def finding_document(finding: Finding) -> Document:
    """A finding under the keys that others rely on."""
    return {
        "level": finding.level,
        "file": finding.file,
        "key": finding.key,
        "reason": finding.reason,
        "next": finding.fix,
    }
