"""Families as a whole: how many of their models pass, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from advisor.domain.head_to_head.subjects import FamilyRecord, Scene, Subject
from advisor.domain.head_to_head.values import Figure, Line, Section, known, unknown
from advisor.domain.recommend import judge_licence
from advisor.domain.wording import VERDICT_MARKS
from advisor.units import format_count, format_tokens

_Of = Callable[[FamilyRecord], Figure]

_NAMED = 3
"""Runners-up that are named."""


def family_section(subjects: tuple[Subject, ...], scene: Scene) -> tuple[Section, ...]:
    """One section where families were asked for, else none."""
    if not any(s.family for s in subjects):
        return ()
    lines = (
        _line("best", "best model for this use", subjects, _best),
        _line("passing", "models that pass", subjects, _passing),
        _line("excluded", "why the others do not", subjects, _excluded),
        _line("runners_up", "next best", subjects, _runners_up),
        _line("sizes", "sizes", subjects, _sizes),
        _line("family_context", "context", subjects, _context),
        _line("family_licences", "licences, for this use", subjects, lambda r: _licences(r, scene)),
        _line("family_languages", "languages claimed", subjects, _languages),
    )
    return (Section("families", "The families", lines, ("All further sections compare the best model of each.",)),)


def _line(line_id: str, title: str, subjects: tuple[Subject, ...], of: _Of) -> Line:
    figures = tuple(unknown("a model, not a family") if s.family is None else of(s.family) for s in subjects)
    return Line(line_id, title, figures)


def _best(record: FamilyRecord) -> Figure:
    if not record.ranked:
        return known("none passes", 0)
    best = record.ranked[0]
    return known(f"{best.id}, score {best.score.total:.3f}", best.id)


def _passing(record: FamilyRecord) -> Figure:
    n, of = len(record.ranked), len(record.members)
    return known(f"{n} of {of} models, in {record.n_variants} quantizations", n)


def _excluded(record: FamilyRecord) -> Figure:
    codes = Counter(code for r in record.rejected for code in {reason.code for reason in r.reasons})
    words = [f"{n} on {code.replace('_', ' ')}" for code, n in sorted(codes.items(), key=lambda c: (-c[1], c[0]))]
    return known(", ".join(words) or "all pass", len(record.rejected))


def _runners_up(record: FamilyRecord) -> Figure:
    others = [f"{c.id} ({c.score.total:.3f})" for c in record.ranked[1 : 1 + _NAMED]]
    return known(", ".join(others) or "none")


def _sizes(record: FamilyRecord) -> Figure:
    sizes = _known(m.total_params for m in record.members)
    experts = sum(1 for m in record.members if m.shape is not None and m.shape.experts is not None)
    return known(
        f"{format_count(min(sizes))} to {format_count(max(sizes))} parameters, {experts} of {len(record.members)} "
        "with experts",
        source="parameter counts of the catalogue",
    )


def _context(record: FamilyRecord) -> Figure:
    lengths = _known(m.max_context_tokens for m in record.members)
    passing = _known(c.model.max_context_tokens for c in record.ranked)
    text = f"{format_tokens(min(lengths))} to {format_tokens(max(lengths))}"
    return known(text + (f"; up to {format_tokens(max(passing))} among those that pass" if passing else ""))


def _licences(record: FamilyRecord, scene: Scene) -> Figure:
    verdicts: dict[tuple[str, str], int] = {}
    for model in record.members:
        verdict = judge_licence(model, scene.catalogue, scene.constraints).verdict.value
        key = (model.licence, verdict)
        verdicts[key] = verdicts.get(key, 0) + 1
    ordered = sorted(verdicts.items(), key=lambda item: (-item[1], item[0]))
    return known("; ".join(f"{n} × {licence} {VERDICT_MARKS[verdict]}" for (licence, verdict), n in ordered))


def _languages(record: FamilyRecord) -> Figure:
    claimed = sorted({tag for m in record.members for tag in m.languages.supported or ()})
    unnamed = sum(1 for m in record.members if m.languages.supported is None)
    rest = f"; {unnamed} of {len(record.members)} models name none" if unnamed else ""
    return known(f"{len(claimed)}: {', '.join(claimed)}{rest}", len(claimed))


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]
