"""A smoke test whole: what was run, what was expected of it, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from advisor.domain.constraints import Constraints
from advisor.domain.footprint import Footprint
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Candidate
from advisor.domain.smoke import SmokeExpectation, SmokeMeasurement, SmokeVerdict
from advisor.units import GIB

SYNTHETIC_SHARE = 0.5
"""Share of the memory that is free now which random weights may take, so that a test never pushes others out."""
SYNTHETIC_MOST = 3 * GIB
"""Random weights that are written, loaded and run within a minute on a slow machine; larger models run in slices."""


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """What was run, what was measured, and the judgement on it."""

    subject: str
    """The candidate's id or the file's name."""
    file: str | None
    """The file with real weights that was run; None for random weights."""
    measurement: SmokeMeasurement
    verdict: SmokeVerdict


def expectation(candidate: Candidate, constraints: Constraints) -> SmokeExpectation:
    """What the recommendation predicted and the constraints require."""
    speed = candidate.speed
    return SmokeExpectation(
        min_decode_tokens_per_s=constraints.latency.tokens_per_s,
        max_ttft_ms=constraints.latency.ttft_ms,
        ttft_prompt_tokens=constraints.scale.prompt_tokens,
        predicted_decode_tokens_per_s=speed.decode_tokens_per_s if speed else None,
        decode_low=speed.low if speed else None,
        decode_high=speed.high if speed else None,
        predicted_ram_bytes=candidate.fit.footprint.devices[0].total_bytes,
    )


def file_expectation(footprint: Footprint, constraints: Constraints) -> SmokeExpectation:
    """What the constraints require of a file that no recommendation stands behind, and the memory it should take."""
    return SmokeExpectation(
        min_decode_tokens_per_s=constraints.latency.tokens_per_s,
        max_ttft_ms=constraints.latency.ttft_ms,
        ttft_prompt_tokens=constraints.scale.prompt_tokens,
        predicted_ram_bytes=footprint.total_bytes,
    )


def synthetic_budget(machine: Machine) -> int:
    """Most bytes of random weights: part of the memory that is free, and of the disk that holds them meanwhile."""
    free = machine.memory.available_bytes.value or 0
    disk = machine.disk_free_bytes.value or 0
    return int(min(SYNTHETIC_SHARE * free, SYNTHETIC_SHARE * disk, SYNTHETIC_MOST))


def smoke_document(report: SmokeReport) -> dict[str, Any]:
    """The report as plain values; unknown figures are None."""
    measured = report.measurement
    return {
        "subject": report.subject,
        "file": report.file,
        "verdict": report.verdict.verdict,
        "synthetic": measured.synthetic,
        "layers_run": measured.layers_run,
        "layers_total": measured.layers_total,
        "error": measured.error,
        "prompt_tokens": measured.prompt_tokens,
        "load_ms": _rounded(measured.load_ms),
        "ttft_ms": _rounded(measured.full_ttft_ms),
        "decode_tokens_per_s": _rounded(measured.full_decode_tokens_per_s),
        "peak_bytes": measured.peak_bytes,
        "basis": "measured",
        "checks": [
            {"id": c.id, "passed": c.passed, "required": c.required, "text": c.text} for c in report.verdict.checks
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
