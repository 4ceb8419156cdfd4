"""What a trial tells: shares of right answers with intervals, differences with their significance, speeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from advisor.domain.trial.outcome import Outcome, Run, Trial
from advisor.domain.trial.statistics import (
    LEVEL,
    Interval,
    binomial_p,
    bootstrap_mean,
    bootstrap_ratio,
    mid_p,
    paired_difference,
    sign_flip_p,
    tasks_for_mcnemar,
    tasks_for_mean,
    wilson,
)

SIGNIFICANT = 1 - LEVEL
"""Below this p a difference is called one: the level of the intervals."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well a contestant did on the tasks that could be judged."""

    n_tasks: int
    n_answered: int
    n_judged: int
    total: float
    """Sum of the scores: right answers, where every score is 0 or 1."""
    is_graded: bool
    """Whether some score lies between 0 and 1."""
    interval: Interval | None
    """Of the mean, Wilson's or by bootstrap; None where nothing was judged."""
    n_cut: int
    """Answers that reached the limit of tokens or the end of the context."""

    @property
    def method(self) -> str:
        return "bootstrap" if self.is_graded else "Wilson"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a contestant answered, over all its answers."""

    decode_tokens_per_s: Interval | None
    """Tokens after the first by the time they took together, with a bootstrap interval over answers."""
    ttft_ms: Interval | None
    """Mean over answers."""
    seconds: float
    """What all answers took together."""
    n_tokens: int
    shared: bool
    """Whether another model ran at the same time, so that it is slower than alone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant in the report."""

    name: str
    accuracy: Accuracy
    pace: Pace
    by_tag: tuple[tuple[str, Interval, int], ...]
    """Tag, mean score with its interval, and judged tasks."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two contestants on the tasks on which both were judged."""

    one: str
    other: str
    n: int
    only_one: int
    """Tasks on which the first scored more."""
    only_other: int
    is_graded: bool
    difference: Interval
    """Mean score of the first less that of the second."""
    p: float
    """Two-sided: McNemar's mid-p, or by permutation where scores are graded."""
    p_exact: float | None
    """McNemar's exact p; None for graded scores."""
    tasks_needed: int | None
    """To show a difference as large as the observed one; None where none was observed."""
    disagreements: tuple[str, ...]
    """Ids of the tasks with different scores."""

    @property
    def is_significant(self) -> bool:
        return self.p < SIGNIFICANT

    @property
    def statement(self) -> str:
        """What can be said, in one sentence."""
        if self.n == 0:
            return f"{self.one} and {self.other}: no task was judged for both"
        gap = f"{100 * abs(self.difference.middle):.1f} points"
        figures = f"{self.only_one} : {self.only_other} of {self.n} tasks, p {p_text(self.p)}"
        if self.difference.middle == 0:
            return f"no difference between {self.one} and {self.other} was observed ({figures})"
        better, worse = (self.one, self.other) if self.difference.middle > 0 else (self.other, self.one)
        if self.is_significant:
            return f"{better} is better than {worse} by {gap} ({figures})"
        return f"{better} leads {worse} by {gap}, which may be chance ({figures})"

    @property
    def power_statement(self) -> str | None:
        """What it would take to settle a difference that is open; None where it is settled."""
        if self.n == 0 or self.is_significant:
            return None
        if self.tasks_needed is None:
            return "no number of tasks can be named: no difference was observed"
        needed = max(self.tasks_needed, self.n + 1)
        return (
            f"about {needed:,} tasks of this kind would show a difference as large as this one with a power of 80 %, "
            "if it is real"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of a trial."""

    standings: tuple[Standing, ...]
    """Best first."""
    duels: tuple[Duel, ...]
    unjudged: int
    """Tasks without a score from some contestant."""


def report(trial: Trial) -> Report:
    """Judge a trial as a whole."""
    tags = {task.id: task.tags for task in trial.tasks}
    standings = [_standing(run, len(trial.tasks), tags) for run in trial.runs]
    standings.sort(key=lambda s: (-(s.accuracy.interval.middle if s.accuracy.interval else -1.0), s.name))
    order = {standing.name: i for i, standing in enumerate(standings)}
    runs = sorted(trial.runs, key=lambda run: order[run.contestant.name])
    judged = set.intersection(*(set(run.scores) for run in runs)) if runs else set()
    return Report(tuple(standings), tuple(duel(a, b) for a, b in combinations(runs, 2)), len(trial.tasks) - len(judged))


def duel(one: Run, other: Run) -> Duel:
    """Compare two contestants, task by task."""
    first, second = one.scores, other.scores
    shared = [outcome.task_id for outcome in one.outcomes if outcome.task_id in first and outcome.task_id in second]
    pairs = [(first[task], second[task]) for task in shared]
    is_graded = any(score not in (0.0, 1.0) for pair in pairs for score in pair)
    wins, losses = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
    names = one.contestant.name, other.contestant.name
    different = tuple(task for task, (a, b) in zip(shared, pairs, strict=True) if a != b)
    if not pairs:
        return Duel(*names, 0, 0, 0, False, Interval(0.0, -1.0, 1.0), 1.0, None, None, ())
    if is_graded:
        gaps = [a - b for a, b in pairs]
        interval, p, exact, needed = bootstrap_mean(gaps), sign_flip_p(gaps), None, tasks_for_mean(gaps)
    else:
        both, neither = sum(a == b == 1 for a, b in pairs), sum(a == b == 0 for a, b in pairs)
        interval = paired_difference(both, wins, losses, neither)
        p, exact = mid_p(wins, losses), binomial_p(wins, losses)
        needed = tasks_for_mcnemar(wins, losses, len(pairs))
    return Duel(*names, len(pairs), wins, losses, is_graded, interval, p, exact, needed, different)


def accuracy(outcomes: Sequence[Outcome], n_tasks: int) -> Accuracy:
    """Right answers with their interval."""
    scores = [o.score for o in outcomes if o.score is not None]
    is_graded = any(score not in (0.0, 1.0) for score in scores)
    return Accuracy(
        n_tasks=n_tasks,
        n_answered=sum(o.answer is not None for o in outcomes),
        n_judged=len(scores),
        total=sum(scores),
        is_graded=is_graded,
        interval=_mean(scores) if scores else None,
        n_cut=sum(o.answer is not None and o.answer.ending in ("length", "context") for o in outcomes),
    )


def _mean(scores: Sequence[float]) -> Interval:
    if any(score not in (0.0, 1.0) for score in scores):
        return bootstrap_mean(scores)
    return wilson(sum(scores), len(scores))


def _standing(run: Run, n_tasks: int, tags: dict[str, tuple[str, ...]]) -> Standing:
    by_tag: dict[str, list[float]] = {}
    for task, score in run.scores.items():
        for tag in tags.get(task, ()):
            by_tag.setdefault(tag, []).append(score)
    parts = tuple((tag, _mean(scores), len(scores)) for tag, scores in sorted(by_tag.items()))
    return Standing(run.contestant.name, accuracy(run.outcomes, n_tasks), _pace(run), parts)


def _pace(run: Run) -> Pace:
    answers = list(run.answered)
    timed = [a for a in answers if a.decode_tokens_per_s is not None]
    rate = bootstrap_ratio([a.n_tokens - 1 for a in timed], [a.decode_ms / 1000 for a in timed]) if timed else None
    return Pace(
        decode_tokens_per_s=rate,
        ttft_ms=bootstrap_mean([a.ttft_ms for a in answers]) if answers else None,
        seconds=sum(a.seconds for a in answers),
        n_tokens=sum(a.n_tokens for a in answers),
        shared=any(a.neighbours for a in answers),
    )


def p_text(p: float) -> str:
    """A p with its sign: smaller ones are not told apart."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
