"""Where a figure comes from. Every figure on screen and in a file carries one of these."""

from __future__ import annotations

from enum import StrEnum


class Basis(StrEnum):
    """From the strongest to the weakest ground."""

    ENGINE = "engine"
    """llama.cpp itself reported it, in a load without weights."""
    MEASURED = "measured"
    """Timed on this machine."""
    CALIBRATED = "calibrated"
    """Estimated, then scaled by a measurement on this machine."""
    ESTIMATED = "estimated"
    """A formula over published figures."""
    PUBLISHED = "published"
    """Stated by a source that is named."""
