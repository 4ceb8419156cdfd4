"""Blind judging that can be left and taken up again: every vote is kept as it is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from advisor.domain.trial.blind import Judging, Side, Vote, replayed, start_judging
from advisor.errors import InputError, nearest
from advisor.trial.journal import Journal
from advisor.trial.result_schema import TrialFile


class JudgingSession:
    """Votes on the pairs of one result, with a journal. One process judges a result at a time."""

    def __init__(self, judging: Judging, journal: Journal) -> None:
        self._journal = journal
        self.judging = judging

    def __enter__(self) -> JudgingSession:
        with ExitStack() as undone:
            journal = undone.enter_context(self._journal)
            self.judging = replayed(self.judging, (str(entry.get("step")) for entry in journal.entries()))
            undone.pop_all()  # held until the session ends
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.__exit__(kind, error, trace)

    def vote(self, vote: Vote) -> None:
        """Judge the current pair; does nothing when all are judged."""
        if not self.judging.is_done:
            self._journal.append({"step": vote})
            self.judging = self.judging.voted(vote)

    def undo(self) -> None:
        """Take the last vote back; does nothing where there is none."""
        if self.judging.votes:
            self._journal.append({"step": "undo"})
            self.judging = self.judging.undone()


def open_judging_session(file: TrialFile, names: Sequence[str], seed: int, folder: Path) -> JudgingSession:
    """A session on two contestants of a result: those named, else the first two. Raises InputError."""
    known = [one.name for one in file.contestants]
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"Contestants: {', '.join(known)}."
            raise InputError(f"no contestant {name!r} in this trial", hint=hint)
    first, second = _two(tuple(names) or tuple(known))
    sides = [Side(name, _answers(file, name)) for name in (first, second)]
    judging = start_judging({task.id: task.question for task in file.answers}, *sides, seed=seed)
    if not judging.pairs:
        raise InputError("there is nothing to judge", why="no task has two answers that differ")
    return JudgingSession(judging, Journal(folder / f"judging-{_mark(sides, seed)}.jsonl"))


def _two(names: tuple[str, ...]) -> tuple[str, str]:
    if len(names) < 2 or names[0] == names[1]:
        raise InputError("blind judging needs two contestants", hint="Run the trial with two files.")
    return names[0], names[1]


def _answers(file: TrialFile, name: str) -> dict[str, str]:
    pairs = ((task.id, task.by.get(name)) for task in file.answers)
    return {task: given.answer for task, given in pairs if given is not None and given.answer is not None}


def _mark(sides: Sequence[Side], seed: int) -> str:
    """What a session is about: another answer or seed begins another one."""
    parts = [[side.name, sorted(side.answers.items())] for side in sides]
    return sha256(json.dumps([parts, seed]).encode("utf-8", "surrogatepass")).hexdigest()[:32]
