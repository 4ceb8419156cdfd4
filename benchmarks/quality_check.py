"""How well the quality scale predicts what it has not seen, and whether its intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.item_response import Fit, ItemResponse
from benchmarks.quality_rows import Evidence
from benchmarks.rival_scales import RIVALS

Array = NDArray[np.float64]

FOLDS = 10
SEED = 0
DEVIATIONS = {"50 %": 0.674, "90 %": 1.645, "95 %": 1.960}
OURS = "this model"


@dataclass(frozen=True)
class Check:
    """Predictions of results by fits that had not seen them."""

    title: str
    shares: Array
    """As published."""
    comparable: NDArray[np.bool_]
    """Results whose benchmark other rows still spoke about: nobody can predict the others' difficulty."""
    predicted: dict[str, Array]
    """By method, in shares."""
    deviations: Array
    """Standard deviation that our prediction claims, in logits."""
    misses: Array
    """Published less predicted, in logits, of our model."""

    def coverage(self, level: str) -> float:
        """Share of results inside the interval of that level."""
        return float((np.abs(self.misses) <= DEVIATIONS[level] * self.deviations).mean())

    def error(self, method: str) -> float:
        """Mean absolute error in points of a hundred, over comparable results."""
        return float(np.abs(self.predicted[method] - self.shares)[self.comparable].mean() * 100)


def check_results(model: ItemResponse) -> Check:
    """Every result left out once, in ten random folds; all scales are estimated anew in each."""
    n = len(model.evidence.results)
    order = np.random.default_rng(SEED).permutation(n)
    return _check(f"results left out, {FOLDS} folds", model, [order[i::FOLDS] for i in range(FOLDS)])


def check_models(model: ItemResponse, whole: Fit) -> Check:
    """All results of every model left out in turn: what is left is size, age and the benchmarks."""
    ids = [r.model for r in model.evidence.results]
    groups = [np.array([i for i, m in enumerate(ids) if m == name]) for name in sorted(set(ids))]
    return _check("models left out, one by one", model, groups, whole)


def _check(title: str, model: ItemResponse, groups: Sequence[NDArray[np.int_]], start: Fit | None = None) -> Check:
    evidence = model.evidence
    n = len(evidence.results)
    logits, deviations = np.zeros(n), np.zeros(n)
    rivals = {name: np.zeros(n) for name in RIVALS}
    comparable = np.zeros(n, dtype=bool)
    for group in groups:
        keep = np.setdiff1d(np.arange(n), group)
        fit = model.fit(keep, start)
        predicted, jacobian = model.predict(fit.x)
        logits[group] = predicted[group]
        rows = jacobian[group]
        deviations[group] = np.sqrt(np.einsum("ij,jk,ik->i", rows, fit.covariance, rows) + fit.noise**2)
        _ask_rivals(evidence, keep, group, rivals)
        seen = {evidence.results[i].benchmark for i in keep}
        comparable[group] = [evidence.results[i].benchmark in seen for i in group]
    published = np.array([r.logit for r in evidence.results])
    shares = np.array([r.share for r in evidence.results])
    ours = 1 / (1 + np.exp(-logits))
    return Check(title, shares, comparable, {OURS: ours, **rivals}, deviations, published - logits)


def _ask_rivals(evidence: Evidence, keep: NDArray[np.int_], group: NDArray[np.int_], answers: dict[str, Array]) -> None:
    kept, asked = [evidence.results[i] for i in keep], [evidence.results[i] for i in group]
    for name, rival in RIVALS.items():
        answers[name][group] = rival(evidence, kept, asked)
