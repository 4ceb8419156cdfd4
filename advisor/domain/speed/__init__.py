"""How fast a placed candidate runs: estimated from published figures, calibrated here, or measured here."""

from __future__ import annotations

from advisor.domain.speed.calibration import NO_TIMINGS, Calibration, Timings, calibration_of
from advisor.domain.speed.constants import SpeedConstants
from advisor.domain.speed.estimate import Speed, estimate_speed, placement_kind

__all__ = [
    "NO_TIMINGS",
    "Calibration",
    "Speed",
    "SpeedConstants",
    "Timings",
    "calibration_of",
    "estimate_speed",
    "placement_kind",
]
