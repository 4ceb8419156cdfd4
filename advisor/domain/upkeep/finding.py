"""What is wrong with the catalogue, as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, where it stands, and what would mend it."""

    level: Level
    """An error makes a value wrong or unusable; a warning asks somebody to look."""
    file: str
    key: str
    """Place in the file, such as `model[mistral-7b].licence`; empty where the whole file is meant."""
    reason: str
    fix: str | None = None
    """What to do next."""


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by file and key; each finding once."""
    return tuple(sorted(set(findings), key=lambda f: (f.level, f.file, f.key, f.reason, f.fix or "")))


def n_errors(findings: Iterable[Finding]) -> int:
    """How many findings are errors."""
    return sum(finding.level == "error" for finding in findings)
