"""What a machine carries of the users' load, in words: the cells and sentences of command line, screens and files."""

from __future__ import annotations

from advisor.domain.candidate import Candidate
from advisor.domain.capacity.breaks import BREAKS_WORDS
from advisor.domain.carried_load import CarriedLoad
from advisor.domain.recommend import Recommendation
from advisor.domain.scoring import CLOSE_CALL
from advisor.units import counted

COLUMN = "carries"
"""Of a ranking under a load that users share."""
_PLAN = "llm-advisor plan"


def carried_cell(candidate: Candidate) -> str:
    """How many of the users, or requests at once, this machine carries: `✓ 5,000`, `≤ 5,000` where the bound alone
    says so, `✗ 291`, `✗ ≤ 291`."""
    carried = candidate.carried
    if carried is None:
        return "unknown"
    at_most = "" if carried.is_simulated else "≤ "
    if not carried.is_enough:
        return f"✗ {at_most}{carried.n_carried:,}"
    return f"{at_most or '✓ '}{carried.n_carried:,}"


def carried_text(candidate: Candidate) -> str:
    """One sentence without its end: `carries 291 of 5,000 users here; 18 machines like this`."""
    carried = candidate.carried
    if carried is None:
        return "unknown: the bandwidth of a device is not known"
    what, at_most = _of(carried), "" if carried.is_simulated else "at most "
    if carried.is_enough:
        return f"carries all {what} here{'' if carried.is_simulated else ' by the bound; not simulated'}"
    share = f"carries {at_most}{carried.n_carried:,} of {what} here"
    if carried.machines is None:
        return f"{share}; no number of machines like this one meets the targets"
    least = "" if carried.is_simulated else "at least "
    return f"{share}; {least}{counted(carried.machines, 'machine')} like this one"


def carried_lines(candidate: Candidate, found: Recommendation) -> tuple[str, ...]:
    """What the machine carries with a candidate and what stands in the way; where one machine ends, if none does."""
    carried = candidate.carried
    if carried is None:
        return (carried_text(candidate),)
    percentile = found.constraints.latency.percentile
    how = (
        f"simulated, for {percentile} % of requests"
        if carried.is_simulated
        else "by the bound that no schedule exceeds"
    )
    copies = f", {carried.copies} copies on {_gpus(carried.gpus_per_copy)} each" if carried.copies > 1 else ""
    each, keeps = " on each copy" if carried.copies > 1 else "", "keeps" if carried.slots == 1 else "keep"
    lines = [
        f"{carried_text(candidate)} ({how})",
        f"{counted(carried.slots, 'request')} at once{each} {keeps} the asked speed{copies}",
    ]
    if carried.breaks_first is not None:
        lines.append(f"breaks first: {BREAKS_WORDS[carried.breaks_first]}")
    if candidate.falls_short:
        lines += [*one_machine_ends(found), f"{_PLAN} says which machines it takes, with a spare one and growth"]
    return tuple(lines)


def one_machine_ends(found: Recommendation) -> tuple[str, ...]:
    """Where one machine ends, if no model that passes carries the load on it."""
    short = [c for c in found.ranked if c.falls_short and c.carried is not None]
    if not short or len(short) < len(found.ranked):
        return ()
    most = max(short, key=lambda c: c.carried.share if c.carried else 0.0)
    carried = most.carried
    if carried is None or carried.machines is None:
        return ()
    at_most = "" if carried.is_simulated else " at most"
    end = f"it ends at {carried.n_carried:,}{at_most}, with {most.model.id}"
    order = f"ranked by score, less {CLOSE_CALL:g} for each doubling of the machines"
    return (f"no model carries {_of(carried)} on this machine: {end}", order)


def better_but_short(candidate: Candidate, found: Recommendation) -> str | None:
    """Which model would score higher but falls short of the load; None where there is none."""
    if candidate.carried is None or candidate.falls_short:
        return None
    higher = [c for c in found.ranked if c.falls_short and c.score.total > candidate.score.total]
    if not higher:
        return None
    best = max(higher, key=lambda c: c.score.total)
    others = f" ({len(higher) - 1} more likewise)" if len(higher) > 1 else ""
    gap = best.score.total - candidate.score.total
    return f"{best.model.name} scores {gap:.3f} more, but {carried_text(best)}{others}"


def more_machines(one: Candidate, other: Candidate) -> str:
    """Why one is worth less than the other although it scores more: both fall short of the load."""
    few = other.carried.least_machines if other.carried else None
    many = one.carried.least_machines if one.carried else None
    if few is None or many is None:
        return "no number of machines like this one meets the targets"
    return f"takes {many / few:.1f} times the machines"


def _of(carried: CarriedLoad) -> str:
    if carried.users is not None:
        return counted(carried.users, "user")
    return f"{counted(carried.concurrent or 0, 'request')} at once"


def _gpus(n: int) -> str:
    return "one GPU" if n == 1 else f"{n} GPUs"
