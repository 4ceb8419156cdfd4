"""`llm-advisor trial --judge`: blind judging, in the screens where there is a terminal, else by lines."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from advisor.cli import output, screens
from advisor.cli.diagnostics import note
from advisor.domain.trial.blind import Judging, Pair, Vote
from advisor.domain.trial.words import tally_lines
from advisor.errors import InputError
from advisor.service import Advisor
from advisor.units import counted

_VOTES: dict[str, Vote] = {"l": "left", "r": "right", "t": "tie", "b": "both_bad"}
_KEYS = "l left, r right, t equally good, b both bad, u take the last back, q leave"


def judge(advisor: Advisor, result: Path | None, seed: int, *, as_json: bool, plain: bool) -> None:
    """Judge the pairs that are left; names are told once all are judged. Raises InputError without a terminal."""
    opened = screens.judging
    if opened is not None and not plain and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        opened(result, seed)
        return
    with advisor.judging_session(result, seed=seed) as session:
        if not session.judging.is_done and not as_json:
            if not sys.stdin.isatty():
                raise InputError("judging needs a terminal", why=f"{_left(session.judging, 'is', 'are')} to be judged")
            note(f"{_left(session.judging)}. {_KEYS}.")
            while (pair := session.judging.current) is not None:
                _show(pair, session.judging)
                key = click.getchar().lower()
                if key in _VOTES:
                    session.vote(_VOTES[key])
                elif key == "u":
                    session.undo()
                elif key in ("q", "\x1b"):
                    break
        judging = session.judging
    if as_json:
        output.emit_json(_document(judging))
    elif judging.is_done:
        for line in tally_lines(judging.tally()):
            output.emit_text(line)
    else:
        note(f"{_left(judging, 'is', 'are')} left; your votes are kept. Names come at the end.")


def _left(judging: Judging, one: str = "", several: str = "") -> str:
    """Pairs without a vote, with the verb for one and for several of them."""
    n = len(judging.pairs) - len(judging.votes)
    return counted(n, f"pair {one}".rstrip(), f"pairs {several}".rstrip())


def _show(pair: Pair, judging: Judging) -> None:
    output.emit_text(f"\n{len(judging.votes) + 1} of {len(judging.pairs)}\n{pair.question}")
    output.emit_text(f"\n--- left ---\n{pair.left}\n\n--- right ---\n{pair.right}\n")


def _document(judging: Judging) -> dict[str, object]:
    """The votes; by contestant only once all are given."""
    found: dict[str, object] = {"kind": "blind judging", "pairs": len(judging.pairs), "judged": len(judging.votes)}
    if not judging.is_done:
        return {**found, "result": None}
    tally = judging.tally()
    return {
        **found,
        "result": {
            "first": tally.first,
            "second": tally.second,
            "first_better": tally.first_wins,
            "second_better": tally.second_wins,
            "ties": tally.ties,
            "both_bad": tally.both_bad,
            "same_answer": tally.same,
            "p": round(tally.p, 6),
        },
    }
