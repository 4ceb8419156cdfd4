"""Whether somebody looked at the sources lately."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from advisor.domain.upkeep.finding import Finding
from advisor.units import counted

MAX_AGE_DAYS = 180
"""Facts of this field move: models are retired, licences amended, files replaced."""


def stale_findings(file: str, checked: Mapping[str, date], today: date) -> Iterator[Finding]:
    """One warning for the sources of a file that nobody checked for too long, one for dates that are yet to come."""
    old = {key: day for key, day in checked.items() if (today - day).days > MAX_AGE_DAYS}
    if old:
        oldest = min(old.values())
        reason = f"not checked for {(today - oldest).days} days, since {oldest} ({counted(len(old), 'source')})"
        fix = "Read the source again, correct what changed, and set `checked` to the day."
        yield Finding("warning", file, _keys(old), reason, fix)
    coming = {key: day for key, day in checked.items() if day > today}
    if coming:
        reason = f"checked on {max(coming.values())}, which is after {today}"
        yield Finding("warning", file, _keys(coming), reason, "Correct the date, or the clock of this machine.")


def _keys(found: Mapping[str, date]) -> str:
    return ", ".join(f"sources.{key}" for key in sorted(found))
