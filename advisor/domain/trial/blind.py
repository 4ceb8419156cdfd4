"""Judging two contestants' answers blind: which stands left is drawn by seed, and names come at the end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from advisor.domain.trial.statistics import Interval, mid_p, wilson

Vote = Literal["left", "right", "tie", "both_bad"]
VOTES: tuple[Vote, ...] = ("left", "right", "tie", "both_bad")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one task, in the order in which they are shown."""

    task_id: str
    question: str
    left: str
    right: str
    left_is_first: bool
    """Whether the first contestant's answer stands on the left; not for the judge's eyes."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a judge found, once names may be told."""

    first: str
    second: str
    first_wins: int
    second_wins: int
    ties: int
    both_bad: int
    same: int
    """Tasks with the same answer from both, which nobody was asked about."""

    @property
    def n(self) -> int:
        return self.first_wins + self.second_wins + self.ties + self.both_bad

    @property
    def p(self) -> float:
        """Two-sided mid-p of the sign test over the pairs that were decided."""
        return mid_p(self.first_wins, self.second_wins)

    @property
    def share(self) -> Interval | None:
        """The first one's share of decided pairs; None where none was decided."""
        decided = self.first_wins + self.second_wins
        return wilson(self.first_wins, decided) if decided else None


@dataclass(frozen=True, slots=True)
class Judging:
    """The pairs in their order, and the votes so far: one for each of the first pairs."""

    first: str
    second: str
    pairs: tuple[Pair, ...]
    same: int
    votes: tuple[Vote, ...] = ()

    @property
    def current(self) -> Pair | None:
        """The pair to be judged next; None when all are."""
        return self.pairs[len(self.votes)] if len(self.votes) < len(self.pairs) else None

    @property
    def is_done(self) -> bool:
        return self.current is None

    def voted(self, vote: Vote) -> Judging:
        """With a vote on the current pair; unchanged when all are judged."""
        return self if self.is_done else replace(self, votes=(*self.votes, vote))

    def undone(self) -> Judging:
        """Without the last vote."""
        return replace(self, votes=self.votes[:-1])

    def tally(self) -> Tally:
        """The votes by contestant."""
        wins = {True: 0, False: 0}
        for pair, vote in zip(self.pairs, self.votes, strict=False):
            if vote in ("left", "right"):
                wins[(vote == "left") == pair.left_is_first] += 1
        return Tally(
            self.first, self.second, wins[True], wins[False],
            self.votes.count("tie"), self.votes.count("both_bad"), self.same,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """A contestant with its answers by task."""

    name: str
    answers: Mapping[str, str]


def start_judging(questions: Mapping[str, str], first: Side, second: Side, *, seed: int = 0) -> Judging:
    """The pairs of answers that differ, in an order and with sides drawn by the seed."""
    shared = sorted(task for task in questions if task in first.answers and task in second.answers)
    drawn = random.Random(seed)
    drawn.shuffle(shared)
    pairs, same = [], 0
    for task in shared:
        left_is_first = drawn.random() < 0.5
        ours, theirs = first.answers[task], second.answers[task]
        if ours.strip() == theirs.strip():
            same += 1
            continue
        sides = (ours, theirs) if left_is_first else (theirs, ours)
        pairs.append(Pair(task, questions[task], *sides, left_is_first))
    return Judging(first.name, second.name, tuple(pairs), same)


def replayed(judging: Judging, steps: Iterable[str]) -> Judging:
    """Votes and undos of earlier sessions, in their order; unknown words are passed over."""
    for step in steps:
        vote = next((v for v in VOTES if v == step), None)
        if vote is not None:
            judging = judging.voted(vote)
        elif step == "undo":
            judging = judging.undone()
    return judging
