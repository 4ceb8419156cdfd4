"""The files that Export offers, as name and text. A new kind of file is one more entry here."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.tui.session import Session


@dataclass(frozen=True, slots=True)
class Preview:
    """One file before it is written."""

    name: str
    """Suggested name of the file."""
    text: str


def previews(session: Session) -> tuple[Preview, ...]:
    """Everything that can be saved for the selected candidate; nothing where none is selected.

    Raises AdvisorError where a file cannot be made.
    """
    recommendation, smoke = session.chosen_recommendation, session.chosen_smoke
    if recommendation is None:
        return ()
    report = smoke.report if smoke is not None else None
    text = session.advisor.recommendation_text(recommendation, session.answers, smoke=report)
    return (Preview("recommendation.toml", text),)
