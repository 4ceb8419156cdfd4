"""Prediction beside measurement, one figure a row."""

from __future__ import annotations

from advisor.domain.candidate import Candidate
from advisor.domain.smoke import SmokeMeasurement
from advisor.units import counted, format_bytes, format_milliseconds, format_rate

_UNKNOWN = "unknown"
_NOT_JUDGED = "not judged"
_NO_DIFFERENCE = ""


def side_by_side(candidate: Candidate, measured: SmokeMeasurement) -> tuple[tuple[str, str, str, str], ...]:
    """What, predicted, measured, difference: a row for each figure that the smoke test has."""
    speed, rate = candidate.speed, measured.full_decode_tokens_per_s
    said = None if speed is None else speed.decode_tokens_per_s
    rows = [("decode", _rate(said, _UNKNOWN), _rate(rate, _NOT_JUDGED), _difference(said, rate))]
    took = measured.full_ttft_ms
    if took is not None:
        # The test's prompt is shorter than the one that the prediction is for, which is scaled to it.
        wait = None if speed is None else speed.ttft_ms * measured.prompt_tokens / max(1, speed.prompt_tokens)
        shown = _UNKNOWN if wait is None else format_milliseconds(wait)
        what = f"prompt of {measured.prompt_tokens:,}"
        rows.append((what, shown, format_milliseconds(took), _difference(wait, took)))
    held = measured.peak_bytes
    if held is not None:
        ram = candidate.fit.footprint.devices[0].total_bytes
        layers = f"{measured.layers_run} of {measured.layers_total} layers ran"
        rows.append(
            ("memory", format_bytes(ram), format_bytes(held), _difference(ram, held) if measured.is_whole else layers)
        )
    return tuple(rows)


def side_by_side_lines(candidate: Candidate, measured: SmokeMeasurement) -> tuple[str, ...]:
    """The rows under their titles, in columns."""
    rows = (("", "predicted", "measured", "difference"), *side_by_side(candidate, measured))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]).rstrip() for row in rows
    ]
    if measured.extrapolated:
        lines.append(f"measured speeds are extrapolated from slices of up to {counted(measured.layers_run, 'layer')}")
    return tuple(lines)


def _rate(value: float | None, missing: str) -> str:
    return missing if value is None else format_rate(value)


def _difference(said: float | None, measured: float | None) -> str:
    return _NO_DIFFERENCE if not said or measured is None else f"{measured / said - 1:+.0%}"
