"""Simpler ways to predict a result from the others, which the item-response model has to beat.

Each takes the rows that are kept and the rows that are asked, and answers with shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_rows import Evidence, Result, Sized

Array = NDArray[np.float64]
Rival = Callable[[Evidence, Sequence[Result], Sequence[Result]], Array]

DAMPING = 1e-3


def plain_mean(evidence: Evidence, kept: Sequence[Result], asked: Sequence[Result]) -> Array:
    """The benchmark's mean, moved by how far the model's mean lies from the mean of all."""
    whole = float(np.mean([r.share for r in kept]))
    by_model, by_test = _means(kept, lambda r: r.model), _means(kept, lambda r: r.benchmark)
    moved = [by_test.get(r.benchmark, whole) + by_model.get(r.model, whole) - whole for r in asked]
    return np.clip(moved, 0.005, 0.995)


def size_only(evidence: Evidence, kept: Sequence[Result], asked: Sequence[Result]) -> Array:
    """A logit that grows with the logarithm of the parameters, from a level for each benchmark."""
    sized = {m.id: m.log_params or 0.0 for m in evidence.models}
    return _regressed(kept, asked, lambda r: {"size": sized[r.model], f"test {r.benchmark}": 1.0})


def _regressed(
    kept: Sequence[Result], asked: Sequence[Result], terms: Callable[[Result], Mapping[str, float]]
) -> Array:
    names = sorted({name for r in [*kept, *asked] for name in terms(r)})

    def design(rows: Sequence[Result]) -> Array:
        return np.array([[terms(r).get(name, 0.0) for name in names] for r in rows])

    x, y = design(kept), np.array([r.logit for r in kept])
    level = float(y.mean())
    found = np.linalg.solve(x.T @ x + DAMPING * len(y) * np.eye(len(names)), x.T @ (y - level))
    return np.asarray(1 / (1 + np.exp(-(design(asked) @ found + level))))


def _means(kept: Sequence[Result], key: Callable[[Result], str]) -> dict[str, float]:
    groups: dict[str, list[float]] = {}
    for r in kept:
        groups.setdefault(key(r), []).append(r.share)
    return {name: float(np.mean(values)) for name, values in groups.items()}


RESULT_SD, PRIOR_SD, TASK_SD = 0.35, 0.6, 0.5
"""What the additive scale took for granted, in logits."""


def additive(evidence: Evidence, kept: Sequence[Result], asked: Sequence[Result]) -> Array:
    """The scale used before: logit = ability - difficulty with assumed spreads, for each kind of task anew."""
    by_skills: dict[tuple[str, ...], list[int]] = {}
    for i, r in enumerate(asked):
        by_skills.setdefault(evidence.tests[r.benchmark].skills, []).append(i)
    predicted = np.zeros(len(asked))
    for skills, places in by_skills.items():
        abilities, difficulty = _fit_additive(evidence, kept, set(skills))
        for i in places:
            logit = abilities[asked[i].model] - difficulty.get(asked[i].benchmark, 0.0)
            predicted[i] = 1 / (1 + np.exp(-logit))
    return predicted


def _fit_additive(
    evidence: Evidence, kept: Sequence[Result], skills: set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    abilities = {m.id: 0.0 for m in evidence.models}
    difficulty: dict[str, float] = {}
    of_model = {m.id: [r for r in kept if r.model == m.id] for m in evidence.models}
    of_test = {test: [r for r in kept if r.benchmark == test] for test in {r.benchmark for r in kept}}
    features = {m.id: _features(m) for m in evidence.models}
    for _ in range(60):
        for test, rows in of_test.items():
            difficulty[test] = float(np.mean([abilities[r.model] - r.logit for r in rows]))
        x = np.array([features[m] for m in abilities])
        weight = np.array([min(len(of_model[m]), 5) for m in abilities], dtype=float)
        y = np.array(list(abilities.values()))
        slopes = np.linalg.solve(x.T @ (weight[:, None] * x) + DAMPING * np.eye(3), x.T @ (weight * y))
        for model, rows in of_model.items():
            abilities[model] = _additive_ability(evidence, rows, difficulty, skills, float(features[model] @ slopes))
    return abilities, difficulty


def _additive_ability(
    evidence: Evidence, rows: Sequence[Result], difficulty: Mapping[str, float], skills: set[str], prior: float
) -> float:
    precision = PRIOR_SD**-2
    pull = prior * precision
    for on_task, spread in ((True, 0.0), (False, TASK_SD**2)):
        found = [
            r.logit + difficulty[r.benchmark]
            for r in rows
            if bool(skills & set(evidence.tests[r.benchmark].skills)) is on_task
        ]
        if found:
            weight = 1 / (RESULT_SD**2 / len(found) + spread)
            pull += weight * float(np.mean(found))
            precision += weight
    return pull / precision


def _features(model: Sized) -> Array:
    return np.array([1.0, model.log_params if model.log_params is not None else np.log(7.0), model.years or 1.4])


RIVALS: Mapping[str, Rival] = {
    "size only": size_only,
    "plain mean of benchmarks": plain_mean,
    "the additive scale used before": additive,
}
