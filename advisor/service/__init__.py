"""The facade `Advisor` that every front end calls, and its parts: one use case each, of adapters and domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.service.core import MachineChoice
from advisor.service.exporting import EVERYTHING
from advisor.service.facade import SCHEMAS, Advisor
from advisor.service.files_here import DownloadOutcome, DownloadRequest
from advisor.service.fleets import FleetAdvice
from advisor.service.scale import MOST_CURVES
from advisor.service.trials import TextRequest, TrialRequest

if TYPE_CHECKING:
    from advisor.engine.supervising import OnEvent as OnEvent

__all__ = [
    "EVERYTHING",
    "MOST_CURVES",
    "SCHEMAS",
    "Advisor",
    "DownloadOutcome",
    "DownloadRequest",
    "FleetAdvice",
    "MachineChoice",
    "TextRequest",
    "TrialRequest",
]
