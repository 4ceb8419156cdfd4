"""The facade `Advisor` that every front end calls, and its parts: one use case each, of adapters and domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.service.core import MachineChoice
from advisor.service.exporting import EVERYTHING
from advisor.service.facade import SCHEMAS, Advisor
from advisor.service.files_here import DownloadOutcome, DownloadRequest
from advisor.service.fleets import FleetAdvice
from advisor.service.scale import MOST_CURVES

if TYPE_CHECKING:
    from advisor.domain.trial.requests import TextRequest, TrialRequest
    from advisor.engine.client import OnEvent as OnEvent

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


def __getattr__(name: str) -> Any:
    """Requests that only trials make are loaded when one is made."""
    if name in ("TextRequest", "TrialRequest"):
        from advisor.domain.trial import requests

        return getattr(requests, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
