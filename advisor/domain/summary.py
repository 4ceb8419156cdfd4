"""A candidate in a few lines: why it stands here, whether it fits, how fast it is, and whether it may be used."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.domain.carried_load_words import better_but_short, carried_text, more_machines
from advisor.domain.constraints import Latency
from advisor.domain.languages import LanguageFinding, Support
from advisor.domain.licence import LicenceFinding
from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.scoring import CLOSE_CALL
from advisor.domain.speed import Speed
from advisor.domain.wording import VERDICT_MARKS, speed_text
from advisor.units import counted, format_bytes, format_milliseconds, format_rate

GOOD, CARE, BAD, UNKNOWN = "✓", "!", "✗", "?"
"""Marks that differ in shape, so that they read without colour."""
MARKS_LEGEND = "✓ good · ! tight or slow · ~ estimated"

SUMMARY_INDENT = 9
"""Cells of the word before each line of a summary."""

TIGHT_SHARE = 0.1
"""Free share of the fullest memory below which a candidate fits, but tightly."""

SUPPORT_MARKS = {Support.SUPPORTED: GOOD, Support.NOT_CLAIMED: BAD, Support.UNKNOWN: UNKNOWN}


def fit_mark(candidate: Candidate) -> str:
    """Whether it fits with room to spare, or only just: GOOD or CARE."""
    return CARE if _tightness(candidate) else GOOD


def _tightness(candidate: Candidate) -> str:
    """Why a fit is tight; empty where it is not."""
    fit = candidate.fit
    missing = fit.missing_now()
    if missing:
        return f"{format_bytes(missing)} must be freed first"
    if fit.headroom < TIGHT_SHARE:
        return f"only {fit.headroom:.0%} stays free"
    return "only with a KV cache in q8_0" if fit.notes else ""


def speed_mark(speed: Speed | None, latency: Latency) -> str:
    """The speed against what is asked: GOOD, CARE where the interval reaches below it; empty where nothing is asked."""
    asked = latency.tokens_per_s
    if speed is None:
        return UNKNOWN
    if asked is None:
        return ""
    return GOOD if speed.low >= asked else CARE


def summary_lines(candidate: Candidate, found: Recommendation) -> tuple[str, ...]:
    """One line for each question that is asked first."""
    users = (f"Users    {_users(candidate)}",) if found.load.is_shared else ()
    return (
        f"Why      {_standing(candidate, found)}",
        *users,
        f"Fits     {fit_mark(candidate)} {_memory(candidate)}",
        f"Speed    {_speed(candidate.speed, found.constraints.latency)}",
        f"Licence  {_licence(candidate.licence)}",
        f"Speaks   {_languages(candidate.languages)}",
    )


def _users(candidate: Candidate) -> str:
    if candidate.carried is None:
        return f"{UNKNOWN} {carried_text(candidate)}"
    mark = BAD if candidate.falls_short else GOOD if candidate.carried.is_simulated else CARE
    return f"{mark} {carried_text(candidate)}"


def _standing(candidate: Candidate, found: Recommendation) -> str:
    """How far the nearest other model is, and which criterion makes most of the difference; first of all which one
    would score more but falls short of the load."""
    better = better_but_short(candidate, found)
    return _nearest(candidate, found) if better is None else f"{better}; {_nearest(candidate, found)}"


def _nearest(candidate: Candidate, found: Recommendation) -> str:
    level = [c for c in found.ranked if c.falls_short == candidate.falls_short]
    others = [c for c in level if c.model.id != candidate.model.id]
    if not others and len(level) < len(found.ranked):
        return "no other model carries the load"
    if not others:
        return "no other model passes"
    near = min(others, key=lambda c: abs(c.score.total - candidate.score.total))
    gap = candidate.score.total - near.score.total
    if abs(gap) < CLOSE_CALL:
        apart = f"{abs(gap):.3f}" if abs(gap) >= 0.0005 else "less than 0.001"
        return f"{near.model.name} is nearly level ({apart} apart): try both on your own task"
    if candidate.falls_short and gap < 0 and level.index(near) > level.index(candidate):
        return f"{near.model.name} scores {-gap:.3f} more, but {more_machines(near, candidate)}"
    first, second = (candidate, near) if gap > 0 else (near, candidate)
    pairs = zip(first.score.terms, second.score.terms, strict=True)
    most = max(pairs, key=lambda pair: pair[0].contribution - pair[1].contribution)[0]
    return f"{near.model.name} is {abs(gap):.3f} {'behind' if gap > 0 else 'ahead'}, most of it by {most.criterion}"


def _memory(candidate: Candidate) -> str:
    pairs = zip(candidate.fit.footprint.devices, candidate.fit.pools, strict=True)
    used = [
        f"{format_bytes(device.total_bytes)} of {format_bytes(pool.budget_bytes)} {device.name}"
        for device, pool in pairs
        if device.total_bytes
    ]
    tight = _tightness(candidate)
    return ", ".join(used) + (f"; tight: {tight}" if tight else f"; {candidate.fit.headroom:.0%} stays free")


def _speed(speed: Speed | None, latency: Latency) -> str:
    if speed is None:
        return f"{UNKNOWN} unknown: no memory bandwidth is known for a device of this machine"
    asked = latency.tokens_per_s
    mark = speed_mark(speed, latency)
    target = "" if asked is None else f", {asked:g} asked"
    low, high = (format_rate(bound, asked).removesuffix(" tok/s") for bound in (speed.low, speed.high))
    likely = f"{speed_text(speed, asked)} ({low} to {high}){target}"
    return f"{mark} {likely}; first token after {format_milliseconds(speed.ttft_ms)}".strip()


def _licence(finding: LicenceFinding) -> str:
    words = [f"“{duty.exact}”" for duty in finding.obligations if duty.exact]
    count = len(finding.obligations)
    duties = f": {counted(count, 'duty', 'duties')}" if count else ""
    exact = f", with the words {', '.join(dict.fromkeys(words))}" if words else ""
    doubt = finding.conservative
    cautious = "" if doubt is None or doubt.verdict.grants else f"; a cautious reader: {doubt.verdict.value}"
    return f"{VERDICT_MARKS[finding.verdict.value]} - {finding.licence}{duties}{exact}{cautious.replace('_', ' ')}"


def _languages(finding: LanguageFinding) -> str:
    return " ".join(_groups(finding)) or "no language is asked for"


def _groups(finding: LanguageFinding) -> Iterator[str]:
    asked = {**finding.required, **{t: s for t, s in finding.preferred.items() if t not in finding.required}}
    for support, mark in SUPPORT_MARKS.items():
        names = [finding.names.get(tag, tag).partition(" (")[0] for tag, found in asked.items() if found is support]
        if names:
            yield f"{mark} {', '.join(names)}"
