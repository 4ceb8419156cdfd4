"""A smoke test whole: what was run, what was expected of it, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from advisor.domain.constraints import Constraints
from advisor.domain.footprint import Footprint
from advisor.domain.recommend import Candidate
from advisor.domain.smoke import SmokeExpectation, SmokeMeasurement, SmokeVerdict
from advisor.domain.smoke_next import NextStep


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """What was run, what was measured, and the judgement on it."""

    subject: str
    """The candidate's id or the file's name."""
    file: str | None
    """The file with real weights that was run; None for random weights."""
    measurement: SmokeMeasurement
    verdict: SmokeVerdict
    next_steps: tuple[NextStep, ...] = ()
    """What to try after a failure, the likeliest remedy first."""


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
        "decode_low": _rounded(measured.decode_low),
        "decode_high": _rounded(measured.decode_high),
        "prefill_tokens_per_s": _rounded(measured.prefill_tokens_per_s),
        "prefill_low": _rounded(measured.prefill_low),
        "prefill_high": _rounded(measured.prefill_high),
        "peak_bytes": measured.peak_bytes,
        "basis": "measured",
        "checks": [
            {"id": c.id, "passed": c.passed, "required": c.required, "text": c.text} for c in report.verdict.checks
        ],
        "languages": _languages(measured),
        "next_steps": [
            {"text": step.text, "command": step.command, "candidate": step.candidate} for step in report.next_steps
        ],
    }


def _languages(measured: SmokeMeasurement) -> list[dict[str, Any]]:
    answers = () if measured.answers is None else measured.answers.languages
    return [
        {"tag": a.tag, "required": a.is_required, "found": a.found, "probability": round(a.probability, 3)}
        for a in answers
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
