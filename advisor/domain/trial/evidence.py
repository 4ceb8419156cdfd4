"""A finished trial as a criterion: what it says of the tried candidates, on the scale of published results.

The rule. A tried candidate's share of right answers is one more benchmark, taken by the user, whose difficulty is not
known. The difficulty follows from the tried candidates themselves: it is the one that agrees best with what published
results say of them on average, each weighed by how well it is known. Differences between tried candidates then come
from the trial alone; where they stand as a group among the others comes from published results. Another quantization of
a tried model follows it, by what the two quantizations cost. A model that was not tried keeps its published rating with
a wider interval, because nobody saw it at this task. With one tried candidate nothing is learned about its place among
the others, and its rating stays what it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from advisor.domain.quality import DEVIATIONS, Rating
from advisor.values import value

TASK_DEVIATION = math.hypot(0.15, 0.12)
"""How far a model's ability at one task scatters around its ability at this kind of task, in logits, as a standard
deviation: a model's skill around the model, and one result around all effects, from the fit to published results
(benchmarks/quality.md, Scales)."""


@value
class Tried:
    """What a trial found for one candidate."""

    model: str
    quantization: str
    n: int
    """Judged tasks."""
    total: float
    """Sum of the scores, 0..n."""

    @property
    def id(self) -> str:
        return f"{self.model}:{self.quantization}"

    @property
    def logits(self) -> float:
        """Log-odds of a right answer; half an answer is added to both sides, so that 0 and all have one
        (Haldane 1956, Anscombe 1956)."""
        return math.log((self.total + 0.5) / (self.n - self.total + 0.5))

    @property
    def deviation(self) -> float:
        """Standard error of the log-odds (Gart and Zweifel, Biometrika 54, 1967). For graded scores it is an upper
        bound: no score between 0 and 1 varies more than one that is either."""
        return math.sqrt(1 / (self.total + 0.5) + 1 / (self.n - self.total + 0.5))


@value
class Evidence:
    """A trial's results, by candidate, with what identifies the trial."""

    tasks_name: str
    tasks_sha256: str
    result_sha256: str
    tried: tuple[Tried, ...]

    def of(self, candidate_id: str) -> Tried | None:
        return next((one for one in self.tried if one.id == candidate_id), None)


def with_trial(published: Mapping[str, Rating], evidence: Evidence, typical: float) -> dict[str, Rating]:
    """Ratings of the tried candidates by the trial, from their published ones; both by candidate id.

    `typical` is the difficulty of a typical benchmark of the task, in logits, at which scores are read.
    """
    tried = [one for one in evidence.tried if one.id in published]
    known = {one.id: math.hypot(published[one.id].deviation, TASK_DEVIATION) for one in tried}
    weights = [1 / (known[one.id] ** 2 + one.deviation**2) for one in tried]
    whole = sum(weights)
    shares = [weight / whole for weight in weights]
    difficulty = sum(s * (published[one.id].ability - one.logits) for s, one in zip(shares, tried, strict=True))
    found = {}
    for place, one in enumerate(tried):
        variance = _variance(place, tried, shares, known)
        found[one.id] = _rating(published[one.id], one, one.logits + difficulty, math.sqrt(variance), typical)
    return found


def from_sibling(published: Rating, sibling: Rating, quantization: str, typical: float) -> Rating:
    """A rating from that of another quantization of the model, which was tried, by what the two cost."""
    ability = sibling.ability + sibling.loss - published.loss
    deviation = math.hypot(sibling.model_deviation, published.loss_deviation)
    return replace(
        _moved(published, ability, deviation, typical),
        model_deviation=sibling.model_deviation,
        ground="trial",
        notes=(f"moved by what the two quantizations cost, {sibling.loss - published.loss:+.2f} logits",),
        n_tried=sibling.n_tried,
        trial_deviation=math.hypot(sibling.trial_deviation, published.loss_deviation),
        tried_in=quantization,
    )


def untried(rating: Rating, typical: float) -> Rating:
    """A published rating for a task at which nobody saw the candidate: the same middle, a wider interval."""
    wider = replace(rating, model_deviation=math.hypot(rating.model_deviation, TASK_DEVIATION))
    low, high = _bounds(wider.ability, wider.deviation, typical)
    return replace(wider, low=low, high=high, notes=(*rating.notes, "not in your trial"))


def _variance(place: int, tried: Sequence[Tried], shares: Sequence[float], known: Mapping[str, float]) -> float:
    """Of one candidate's own log-odds plus the common difficulty. Quantizations of one model share what is not known
    of it, so their parts add up before they are squared."""
    own = sum(
        ((1 - share if i == place else share) * one.deviation) ** 2
        for i, (one, share) in enumerate(zip(tried, shares, strict=True))
    )
    by_model: dict[str, float] = {}
    for one, share in zip(tried, shares, strict=True):
        by_model[one.model] = by_model.get(one.model, 0.0) + share * known[one.id]
    return own + sum(part * part for part in by_model.values())


def _moved(rating: Rating, ability: float, deviation: float, typical: float) -> Rating:
    """The rating with another ability and the score that follows; what it rests on is the caller's to say."""
    low, high = _bounds(ability, deviation, typical)
    return replace(rating, score=_logistic(ability - typical), low=low, high=high, ability=ability)


def _rating(published: Rating, one: Tried, ability: float, deviation: float, typical: float) -> Rating:
    share = f"{one.total / one.n:.0%} right"
    return replace(
        _moved(published, ability, deviation, typical),
        model_deviation=deviation,
        loss_deviation=0.0,
        ground="trial",
        notes=(share, f"published results alone say {published.score:.0%}"),
        n_tried=one.n,
        trial_deviation=one.deviation,
    )


def _bounds(ability: float, deviation: float, typical: float) -> tuple[float, float]:
    spread = DEVIATIONS * deviation
    return _logistic(ability - spread - typical), _logistic(ability + spread - typical)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
