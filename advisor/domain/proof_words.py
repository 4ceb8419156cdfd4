"""A measurement and a smoke test in words and bars: what the screens show while they run and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.domain.basis import Basis
from advisor.domain.presentation import BASIS_WORDS, Paragraph
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.smoke_next import NextStep
from advisor.domain.speed import Speed
from advisor.domain.speed.latency import latency, latency_lines
from advisor.domain.wording import speed_text
from advisor.units import counted, format_rate

MEASURE_STAGES = {
    "start": "starting the engine",
    "write": "writing slices",
    "load": "loading slices",
    "prefill": "timing a prompt",
    "decode": "timing tokens",
}
WIDEST_SHOWN = 0.3
"""Half of an interval that fills the whole bar, as a share of the figure."""


def progress_bar(share: float | None, width: int) -> str:
    """How much of a stage is done. Done and open differ in shape; a share that is not known shows an open bar."""
    filled = round(max(0.0, min(1.0, share or 0.0)) * width)
    return "█" * filled + "░" * (width - filled)


def interval_bar(half_width: float | None, width: int) -> str:
    """An interval around a figure in the middle: it narrows as more rounds make the figure known."""
    side = max(1, (width - 1) // 2)
    if half_width is None:
        return " " * side + "?" + " " * side
    reach = max(0, min(side, round(half_width / WIDEST_SHOWN * side)))
    if reach == 0:
        return " " * side + "●" + " " * side
    arm = "─" * (reach - 1)
    return f"{' ' * (side - reach)}├{arm}●{arm}┤{' ' * (side - reach)}"


def interval_text(half_widths: Sequence[float], n_rounds: int) -> str:
    """How well a figure is known, and how that went: the first interval, some between, the last."""
    known = [width for width in half_widths if width < 1]
    if not known:
        return f"{counted(n_rounds, 'round')}, too few for an interval" if n_rounds else ""
    shown = [known[0], known[len(known) // 2], known[-1]] if len(known) > 2 else known
    return " → ".join(f"±{width:.1%}" for width in shown) + f" after {counted(n_rounds, 'round')}"


def measuring_line(name: str, stage: str, half_widths: Sequence[float], share: float | None) -> str:
    """A running measurement in one line, for the places where it is not the subject."""
    words = MEASURE_STAGES.get(stage, stage)
    known = f" ±{half_widths[-1]:.0%}" if half_widths and half_widths[-1] < 1 else ""
    return f"measuring {progress_bar(share, 8)} {words}{known} · {name or 'the best candidates'}"


def measure_intention(candidate: Candidate) -> tuple[Paragraph, ...]:
    """What measuring would do, and the figure it would replace."""
    basis = "" if candidate.speed is None else f" - {BASIS_WORDS[candidate.speed.basis]}"
    lines = (
        f"speed now: {speed_text(candidate.speed)}{basis}",
        "m times slices of it here: the same layers, only fewer, with random weights; about 10 s, nothing is kept but"
        " the result.",
        "From Picks, m measures the best and ranks all again.",
    )
    return (Paragraph("Measure the speed", lines),)


def measured_paragraphs(
    found: Recommendation, before: Mapping[str, Speed | None], problems: Sequence[str]
) -> tuple[Paragraph, ...]:
    """What was measured, beside what was said before; what could not be, with the reason; the waits of the pick."""
    timed = [c for c in found.quantizations if c.id in before and c.speed and c.speed.basis is Basis.MEASURED]
    rows = tuple(_row(c.model.name, c.quantization.name, before[c.id], c.speed) for c in timed)
    parts = [Paragraph("Measured on this machine", rows)] if rows else []
    fell = _fallen(found, before)
    if fell:
        parts.append(Paragraph("Measured, and no longer among the picks", fell))
    if problems:
        parts.append(Paragraph("Not measured; the estimate stands", tuple(f"! {problem}" for problem in problems)))
    if timed and timed[0].speed is not None:
        answer_tokens = found.constraints.scale.answer_tokens
        waits = latency(timed[0].speed, answer_tokens)
        name = f"{timed[0].model.name} {timed[0].quantization.name}"
        parts.append(Paragraph(f"Waits with {name}", latency_lines(waits, timed[0].speed.prompt_tokens, answer_tokens)))
    return tuple(parts)


def _fallen(found: Recommendation, before: Mapping[str, Speed | None]) -> tuple[str, ...]:
    """What was measured of candidates that do not pass with that speed, and why they do not."""
    passing = {c.id for c in found.quantizations}
    rejected = {r.model.id: r for r in found.rejected}
    lines: list[str] = []
    for (name, _), speed in found.timings.measured.items():
        if name in before and name not in passing:
            model, _, file_type = name.partition(":")
            lines.append(_row(model, file_type, before[name], speed))
            lines.append(f"  {_why_excluded(rejected.get(model), file_type)}")
    return tuple(lines)


def _why_excluded(rejection: Rejection | None, file_type: str) -> str:
    """A model is rejected in its closest quantization, which need not be the one that was measured."""
    if rejection is None:
        return "too slow in this quantization; another one of the model passes"
    reasons = "; ".join(reason.text for reason in rejection.reasons)
    if rejection.quantization in (None, file_type):
        return f"excluded: {reasons}"
    return f"excluded in every quantization, {rejection.quantization} by least: {reasons}"


def next_lines(steps: Sequence[NextStep]) -> tuple[str, ...]:
    """What to try after a failed smoke test, with the key for another candidate and the command for the rest."""
    if not steps:
        return ()
    lines = [step.text + (f": {step.command}" if step.command else "") for step in steps]
    return (*lines, *(["n tests the next candidate."] if any(step.candidate for step in steps) else []))


def _row(model: str, file_type: str, before: Speed | None, now: Speed | None) -> str:
    if now is None:
        return f"{model} {file_type}: unknown"
    likely = f"{now.low:.1f} to {now.high:.1f}"
    text = f"{model} {file_type}: {format_rate(now.decode_tokens_per_s)} ({likely}), {now.basis.value}"
    if before is None or before == now:
        return text
    change = now.decode_tokens_per_s / before.decode_tokens_per_s - 1
    return f"{text}; before {format_rate(before.decode_tokens_per_s)} {before.basis.value}, {change:+.0%}"
