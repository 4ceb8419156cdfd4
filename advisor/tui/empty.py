"""Why a place has nothing to show, and what to press."""

from __future__ import annotations

from advisor.tui.session import Session


def no_pick_lines(session: Session) -> tuple[str, ...]:
    """Why no model is selected."""
    if session.probe_error is not None:
        return (
            f"There is no machine to advise for: {session.probe_error}",
            "r looks again; --machine FILE on the command line describes another one.",
        )
    if session.advice_error is not None:
        back = f"; u in 3 Picks puts back what was before {session.last_change.what}" if session.last_change else ""
        return (f"These answers cannot be used: {session.advice_error}", f"2 leads to them{back}.")
    if session.found is None:
        return ("The picks are still being made: this takes a moment.",)
    return (
        "No model passes what you need.",
        "3 shows the nearest misses; there x lists all that are excluded, each with what would admit it.",
    )


def way_back(session: Session) -> str:
    """From a machine that is not here to this one."""
    if session.simulation is not None:
        return "i in 3 Picks leads back to this machine."
    return "Start without --machine, --gpu and --ram to measure on this one; 5 exports the pick as it is."
