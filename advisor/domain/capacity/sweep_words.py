"""A sweep over users as a document, as rows and as lines for people."""

from __future__ import annotations

from typing import Any

from advisor.domain.basis import Basis
from advisor.domain.capacity.breaks import BREAKS_WORDS
from advisor.domain.capacity.report import plan_document, plan_lines, rate_text
from advisor.domain.capacity.sweep import Curve, Point, Sweep
from advisor.units import format_milliseconds, four_digits

COLUMNS = ("model", "weights", "load", "first token", "per request", "targets")

Document = dict[str, Any]


def sweep_document(found: Sweep) -> Document:
    """Everything, under the keys that docs/plan.md lists. Times in milliseconds."""
    targets = found.targets
    return {
        "basis": Basis.ESTIMATED.value,
        "unit": found.unit,
        "asked": found.asked,
        "percentile": targets.percentile,
        "target_ttft_ms": None if targets.ttft_s is None else four_digits(1000 * targets.ttft_s),
        "target_tpot_ms": None if targets.tpot_s is None else four_digits(1000 * targets.tpot_s),
        "curves": [_curve_document(curve) for curve in found.curves],
    }


def _curve_document(curve: Curve) -> Document:
    plan = curve.plan
    return {
        "model": curve.model_id,
        "quantization": curve.quantization,
        "most": curve.most,
        "breaks_first": None if plan is None else plan.capacity.breaks_first,
        "refusal": curve.refusal,
        "points": [_point_document(point) for point in curve.points],
        "plan": None if plan is None else plan_document(plan, curve.plans),
    }


def _point_document(point: Point) -> Document:
    return {
        "load": point.load,
        "ttft_ms": four_digits(1000 * point.ttft_s),
        "tpot_ms": four_digits(1000 * point.tpot_s),
        "within_targets": point.holds,
    }


def sweep_rows(found: Sweep) -> list[tuple[str, ...]]:
    """A row for each point under COLUMNS, the last load within the targets marked."""
    rows: list[tuple[str, ...]] = []
    for curve in found.curves:
        if not curve.points:
            rows.append((curve.model_id, curve.quantization, "-", "-", "-", f"✗ {curve.refusal or 'unknown'}"))
        rows += [_row(curve, point) for point in curve.points]
    return rows


def _row(curve: Curve, point: Point) -> tuple[str, ...]:
    state = "✓ met" if point.holds else "✗ missed"
    if point.load == curve.most and point.holds:
        # A simulation further on can come out well by chance; then the table must not deny it.
        is_last = not any(other.holds for other in curve.points if other.load > curve.most)
        state += ", beyond it they break" if is_last else ", the most that the plan counts on"
    return (
        curve.model_id,
        curve.quantization,
        f"{point.load:,}",
        format_milliseconds(1000 * point.ttft_s),
        rate_text(point.tpot_s),
        state,
    )


def curve_line(curve: Curve, found: Sweep, *, number: int) -> str:
    """One line of a legend: `1 Ministral 3 8B Q4_K_M: up to 276 users, then the queue for a slot`."""
    name = f"{number} {curve.name} {curve.quantization}"
    if curve.plan is None:
        return f"{name}: ✗ not here"
    return f"{name}: up to {found.counted(curve.most)}, then {BREAKS_WORDS[curve.plan.capacity.breaks_first]}"


def curve_paragraph(curve: Curve, found: Sweep) -> tuple[str, list[str]]:
    """The plan behind a curve as a titled paragraph."""
    plan = curve.plan
    if plan is None:
        return f"{curve.name} {curve.quantization}", [f"✗ {curve.refusal or 'it cannot be served here'}"]
    title, lines = plan_lines(plan, curve.plans)
    return f"{curve.name} {curve.quantization} for {found.counted(found.asked)} - {title}", lines
