"""What an answer excludes, in words for its row and for the panel beside it."""

from __future__ import annotations

from advisor.domain.exclusions import Exclusion
from advisor.units import counted


def exclusion_mark(found: Exclusion) -> str:
    """For a row: `excludes 7`, which would pass without this answer, or `3 with others` where all that fail on it fail
    on something else, too. How many of the latter come on top of the former is for the panel to say."""
    n, m = len(found.alone), len(found.with_others)
    return f"excludes {n}" if n else f"{m} with others"


def short_exclusion_mark(found: Exclusion) -> str:
    """The same where there is little room: `-7`, `+3`."""
    return f"-{len(found.alone)}" if found.alone else f"+{len(found.with_others)}"


def exclusion_sentence(found: Exclusion) -> str:
    """For the panel: what the two numbers of a mark count."""
    n, m = len(found.alone), len(found.with_others)
    first = f"Without this answer alone {counted(n, 'more model')} would pass." if n else ""
    more = "more " if n else ""
    second = f"{counted(m, f'{more}fails', f'{more}fail')} on it and on something else." if m else ""
    return f"{first} {second}".strip()


def idle_text(n: int, *, are_shown: bool) -> str:
    """How many questions are folded away: `4 questions cannot change anything now`."""
    return f"{'▾' if are_shown else '▸'} {counted(n, 'question')} cannot change anything now"
