"""Two recommendations side by side: what other hardware or another need would change."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.wording import speed_text
from advisor.units import format_bytes, format_milliseconds

MOST_NAMES = 4
"""Models that are named of those that come in or drop out."""

Row = tuple[str, str, str]


def what_if_rows(before: Recommendation, after: Recommendation) -> tuple[Row, ...]:
    """What is asked about, how it is now and how it would be."""
    now, then = before.pick, after.pick
    return (
        ("models", _passing(before), _passing(after)),
        ("first", _name(now), _name(then)),
        ("memory", _memory(now), _memory(then)),
        ("speed", _speed(now), _speed(then)),
        ("first token", _wait(now), _wait(then)),
    )


def what_if_lines(before: Recommendation, after: Recommendation, model_id: str | None) -> tuple[str, ...]:
    """Which models come in and drop out, and what becomes of the one that is asked about."""
    now = {c.model.id: c.model.name for c in before.ranked}
    then = {c.model.id: c.model.name for c in after.ranked}
    lines = []
    if then.keys() - now.keys():
        lines.append(f"+ comes in: {_names(name for key, name in then.items() if key not in now)}")
    if now.keys() - then.keys():
        lines.append(f"- drops out: {_names(name for key, name in now.items() if key not in then)}")
    if model_id is not None:
        lines.append(_fate(after, model_id))
    return tuple(line for line in lines if line)


def _name(candidate: Candidate | None) -> str:
    return "none" if candidate is None else f"{candidate.model.name} {candidate.quantization.name}"


def _memory(candidate: Candidate | None) -> str:
    return "-" if candidate is None else format_bytes(candidate.fit.footprint.total_bytes)


def _speed(candidate: Candidate | None) -> str:
    return "-" if candidate is None else speed_text(candidate.speed)


def _wait(candidate: Candidate | None) -> str:
    if candidate is None:
        return "-"
    return "unknown" if candidate.speed is None else f"after {format_milliseconds(candidate.speed.ttft_ms)}"


def _passing(found: Recommendation) -> str:
    return f"{len(found.ranked)} of {len(found.ranked) + len(found.rejected)}"


def _names(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return ", ".join(known[:MOST_NAMES]) + more


def _fate(found: Recommendation, model_id: str) -> str:
    for rank, candidate in enumerate(found.ranked, start=1):
        if candidate.model.id == model_id:
            return f"✓ {_name(candidate)} passes, rank {rank}, {_speed(candidate)}"
    rejected = (r for r in found.rejected if r.model.id == model_id)
    return next((f"✗ {r.model.name}: {'; '.join(reason.text for reason in r.reasons)}" for r in rejected), "")
