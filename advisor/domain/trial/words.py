"""A trial in words and rows, for both front ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

from advisor.domain.trial.blind import Tally
from advisor.domain.trial.outcome import Outcome, Progress, Trial
from advisor.domain.trial.report import SIGNIFICANT, Accuracy, Duel, Pace, Report, p_text
from advisor.domain.trial.statistics import Interval
from advisor.domain.trial.text_loss import TextComparison
from advisor.units import counted, format_bytes

STANDING_COLUMNS = ("model", "right", "share", "interval 95 %", "first token", "decode", "cut short")
TEXT_COLUMNS = ("file", "size", "bits per byte", "interval 95 %", "perplexity", "interval 95 %")
ANSWER_COLUMNS = ("task", "model", "score", "answer", "reason")
_EXCERPT = 160


def progress_text(now: Progress) -> str:
    """How far a contestant is."""
    known = f", {counted(now.n_cached, 'answer')} known before" if now.n_cached else ""
    return f"{now.name}: {now.n_done} of {counted(now.n_tasks, 'task')}, {now.n_right:g} of {now.n_judged} right{known}"


def standing_rows(found: Report) -> list[tuple[str, ...]]:
    """One row for each contestant, best first."""
    return [(s.name, _right(s.accuracy), *_share(s.accuracy), *_pace(s.pace), str(s.accuracy.n_cut)) for s in
            found.standings]  # fmt: skip


def duel_lines(duels: Sequence[Duel]) -> list[str]:
    """What each pair says, and what would settle it."""
    lines = []
    for duel in duels:
        lines.append(f"{duel.statement}.")
        if duel.n:
            # Adding 0 turns a -0.0 of rounding into 0.0.
            low, high = (round(100 * bound, 1) + 0.0 for bound in (duel.difference.low, duel.difference.high))
            test = "permutation test" if duel.is_graded else "McNemar's test, mid-p"
            gap = f"{100 * duel.difference.middle:+.1f} points, 95 %: {low:+.1f} to {high:+.1f}"
            lines.append(f"  {duel.one} less {duel.other}: {gap} ({test}).")
        if duel.power_statement is not None:
            lines.append(f"  {duel.power_statement[0].upper()}{duel.power_statement[1:]}.")
    return lines


def tag_rows(found: Report) -> list[tuple[str, ...]]:
    """One row for each tag, one column for each contestant."""
    names = sorted({tag for standing in found.standings for tag, _, _ in standing.by_tag})
    rows: list[tuple[str, ...]] = []
    for name in names:
        cells = []
        for standing in found.standings:
            part = next((p for p in standing.by_tag if p[0] == name), None)
            cells.append("" if part is None else f"{part[1].middle:.0%} of {part[2]}")
        rows.append((name, *cells))
    return rows


def disagreement_rows(trial: Trial, found: Report, limit: int) -> list[tuple[str, ...]]:
    """Answers side by side where scores differ: a row for each contestant and task."""
    tasks = {task: None for duel in found.duels for task in duel.disagreements}
    rows: list[tuple[str, ...]] = []
    for task in [t.id for t in trial.tasks if t.id in tasks][:limit]:
        for run in trial.runs:
            outcome = next((o for o in run.outcomes if o.task_id == task), None)
            if outcome is not None:
                rows.append((task, run.contestant.name, score_text(outcome.score), _excerpt(outcome), outcome.reason))
    return rows


def text_rows(found: TextComparison) -> list[tuple[str, ...]]:
    """One row for each file."""
    return [
        (
            loss.name,
            format_bytes(loss.n_bytes_file),
            f"{loss.bits_per_byte.middle:.4f}",
            _range(loss.bits_per_byte, ".4f"),
            f"{loss.perplexity.middle:.3f}",
            _range(loss.perplexity, ".3f"),
        )
        for loss in found.losses
    ]


def text_lines(found: TextComparison) -> list[str]:
    """What was scored, and how far the second file is from the first."""
    scored = f"{found.n_tokens:,} tokens, {found.n_bytes:,} bytes of {found.text_name}"
    lines = [f"{scored}, in windows of {found.window_tokens}."]
    gap = found.difference
    if gap is None:
        return lines
    ratio, bits = gap.ln_perplexity_ratio, gap.bits_per_byte
    percents = Interval(math.expm1(ratio.middle), math.expm1(ratio.low), math.expm1(ratio.high))
    divergence = f"{gap.divergence.middle:.5f} nats per token, 95 %: {_range(gap.divergence, '.5f')}"
    agreement = f"{gap.agreement.middle:.1%} of places, 95 %: {_range(gap.agreement, '.1%')}"
    return [
        *lines,
        f"{gap.statement[0].upper()}{gap.statement[1:]}.",
        f"Perplexity: {percents.middle:+.2%}, 95 %: {_range(percents, '+.2%')}.",
        f"Bits per byte: {bits.middle:+.5f}, 95 %: {_range(bits, '+.5f')}.",
        f"KL divergence on the {gap.n_top} likeliest tokens: {divergence}; "
        f"1 token in 100 exceeds {gap.divergence_p99:.3f}.",
        f"Both hold the same token for the likeliest at {agreement}.",
    ]


def tally_lines(found: Tally) -> list[str]:
    """What a judge found, with names."""
    lines = [
        f"{found.first}: {found.first_wins} better",
        f"{found.second}: {found.second_wins} better",
        f"equally good: {found.ties}, both bad: {found.both_bad}, same answer: {found.same}",
    ]
    if found.share is None:
        return [*lines, "No pair was decided, so nothing can be said."]
    p = p_text(found.p)
    share = f"{found.share.middle:.0%} of decided pairs for {found.first}, 95 %: {_range(found.share, '.0%')}"
    if found.p >= SIGNIFICANT:
        return [*lines, f"{share}. That may be chance (sign test, p {p})."]
    better = found.first if found.first_wins > found.second_wins else found.second
    return [*lines, f"{share}. {better} is preferred (sign test, p {p})."]


def score_text(score: float | None) -> str:
    """Right, wrong, a share, or not judged."""
    if score is None:
        return "not judged"
    return {1.0: "right", 0.0: "wrong"}.get(score, f"{score:.0%}")


def _right(found: Accuracy) -> str:
    if found.interval is None:
        return f"{found.n_answered} answered, none judged"
    total = f"{found.total:.1f}" if found.is_graded else f"{found.total:.0f}"
    return f"{total} of {found.n_judged}"


def _share(found: Accuracy) -> tuple[str, str]:
    if found.interval is None:
        return "unknown", "not judged"
    return f"{found.interval.middle:.1%}", _range(found.interval, ".1%")


def _pace(found: Pace) -> tuple[str, str]:
    ttft = "unknown" if found.ttft_ms is None else f"{found.ttft_ms.middle:.0f} ms"
    rate = found.decode_tokens_per_s
    shared = " (sharing the machine)" if found.shared else ""
    return ttft, "unknown" if rate is None else f"{rate.middle:.1f} tok/s ({_range(rate, '.1f')}){shared}"


def _range(found: Interval, form: str) -> str:
    return f"{found.low:{form}} to {found.high:{form}}"


def _excerpt(found: Outcome) -> str:
    if found.answer is None:
        return ""
    text = " ".join(found.answer.text.split())
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
