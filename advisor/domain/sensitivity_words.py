"""How firm the first place is, in sentences: the same on the command line, on the screens and in files."""

from __future__ import annotations

from advisor.domain.reweighting import N_DRAWS, SPREAD
from advisor.domain.sensitivity import (
    MOST_WEIGHT,
    ConstraintChange,
    Sensitivity,
    Value,
    WeightChange,
    WeightRange,
)
from advisor.units import counted, format_bytes, format_figure

NAMED_RIVALS = 3
"""Rivals that a sentence names; the table has all."""


def share_text(n: int) -> str:
    """A share of the reweightings that is `all` only where it is all of them."""
    if n in (0, N_DRAWS):
        return "all" if n else "none"
    percent = 100 * n / N_DRAWS
    return f"{percent:.1f} %" if percent < 10 or percent > 90 else f"{percent:.0f} %"


def firmness_lines(found: Sensitivity) -> tuple[str, ...]:
    """Two or three lines: robust or a close call, against whom, and the smallest change of one weight."""
    if found.n_options == 1:
        return ("no other model passes, so no weight changes the pick",)
    return (_verdict(found), *_rivals(found), nearest_text(found))


def _verdict(found: Sensitivity) -> str:
    word = "robust" if found.is_robust else "a close call"
    stays = f"stays first in {share_text(found.n_stays)} of {N_DRAWS:,} reweightings by a factor of about {SPREAD:g}"
    moved = found.n_stays - found.n_same_quantization
    return f"{word}: {stays}" + (f", in {share_text(moved)} in another quantization" if moved else "")


def _rivals(found: Sensitivity) -> tuple[str, ...]:
    if not found.rivals:
        return ()
    named = [f"{r.model} in {share_text(r.n_wins)}" for r in found.rivals[:NAMED_RIVALS]]
    others = len(found.rivals) - len(named)
    more = f" and {counted(others, 'other')}" if others else ""
    return (f"otherwise first: {', '.join(named)}{more}",)


def nearest_text(found: Sensitivity) -> str:
    """The smallest change of one weight that changes the pick, if there is one."""
    change = found.nearest
    if change is None:
        return f"no weight from 0 to {MOST_WEIGHT:g}, changed alone, makes another model first"
    return f"{change.rival.model} leads if {_change_text(change)}"


def _change_text(change: WeightChange) -> str:
    if not change.changed:
        return f"{change.criterion} weighs nothing instead of {change.weight:g}"
    if change.factor is None:
        return f"{change.criterion} weighs {change.changed:g} instead of nothing"
    numbers = f"({change.changed:g} instead of {change.weight:g})"
    return f"{change.criterion} weighs {format_figure(change.factor)} times as much {numbers}"


def rival_lines(found: Sensitivity, model: str) -> tuple[str, ...]:
    """What would put a model first that is not: how many reweightings do, and changes of one weight that do."""
    wins = sum(r.n_wins for r in found.rivals if r.model == model)
    changes = [c for r in found.weights for c in (r.lower, r.upper) if c is not None and c.rival.model == model]
    changes.sort(key=lambda c: (c.distance, c.criterion))
    head = f"first in {share_text(wins)} of {N_DRAWS:,} reweightings by a factor of about {SPREAD:g}"
    return (head, *(f"leads if {_change_text(change)}" for change in changes))


def weight_text(found: WeightRange) -> str:
    """How far one weight can move."""
    head = f"{found.criterion} {found.weight:g} ({found.share:.0%} of all weights)"
    lower = f"at {found.lower.changed:g} {found.lower.rival.id} leads" if found.lower else ""
    upper = f"at {found.upper.changed:g} {found.upper.rival.id} leads" if found.upper else ""
    moves = "; ".join(text for text in (lower, upper) if text)
    return f"{head}: {moves or 'no change of this weight alone changes the pick'}"


def constraint_text(change: ConstraintChange) -> str:
    """One requirement, where the pick changes, and what becomes of the pick."""
    head = f"{change.key} {value_text(change.key, change.current)}"
    who = f"{change.rival} leads" if change.rival else "nothing passes"
    still = f"still first at {value_text(change.key, change.holds)} (in {change.holds_quantization})"
    return f"{head}: at {value_text(change.key, change.changed)}{_difference(change)} {who} and {change.why}; {still}"


def _difference(change: ConstraintChange) -> str:
    """Memory kept free, as memory that models gain or lose."""
    if not change.key.startswith("machine.reserve") or change.changed is None:
        return ""
    lost = int(change.changed) - int(change.current or 0)
    return f", {format_bytes(abs(lost))} {'less' if lost > 0 else 'more'} for models,"


def value_text(key: str, value: Value) -> str:
    """A value of a requirement for people."""
    if value is None:
        return "no limit"
    if key.startswith("machine.reserve"):
        return format_bytes(int(value))
    unit = {"latency.tokens_per_s": "tok/s", "latency.ttft_ms": "ms", "scale.users": "users"}.get(key, "tokens")
    return f"{value:,} {unit}" if isinstance(value, int) else f"{value:,g} {unit}"
