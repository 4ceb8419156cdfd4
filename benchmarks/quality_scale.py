"""From the fitted parameters to abilities by task, as the program reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.domain.quality import FittedAbility, Prior, QualityScale
from advisor.domain.quantization_loss import QuantizationLosses, Series, TypeLoss
from benchmarks.item_response import Fit, ItemResponse
from benchmarks.quality_rows import TASKS, Sized
from benchmarks.quantization_curve import (
    LOSSLESS,
    REFERENCE_PARAMS,
    CurveFit,
    file_types,
    reference_bits,
    terms,
)

Array = NDArray[np.float64]

MULTILINGUAL = "multilingual"
REFERENCE_SERIES = "llama-3"
LINES = {
    **dict.fromkeys(("llama-3", "llama-3.1", "llama-3.2", "llama-3.2-vision", "llama-3.3"), "llama-3"),
    **dict.fromkeys(("llama-2", "code-llama"), "llama-2"),
    "mistral-7b": "mistral-7b",
}
"""Lines that were trained as a measured series was: Code Llama goes on from Llama 2; all of Llama 3 share a recipe."""


@dataclass(frozen=True)
class Abilities:
    """One task's abilities of all models, relative to the mean of the models with results."""

    middle: Array
    deviation: Array
    difference: Array
    """Standard deviation of every difference of two models, by the joint posterior."""


def abilities(model: ItemResponse, fit: Fit, task: str, *, foreign: bool = False) -> Abilities:
    """Abilities at a task, or at it in other languages than English."""
    evidence = model.evidence
    skills = dict(evidence.tasks[task])
    if foreign:
        skills = {name: weight / 2 for name, weight in skills.items()}
        skills[MULTILINGUAL] = skills.get(MULTILINGUAL, 0.0) + 0.5
    rows = np.array([model.ability(m, skills) for m in evidence.models])
    known = {r.model for r in evidence.results}
    reference = rows[[m.id in known for m in evidence.models]].mean(axis=0)
    contrast = rows - reference
    covariance = contrast @ fit.covariance @ contrast.T
    own = fit.sds["skill"] ** 2 if task in evidence.unmeasured else 0.0
    variance = np.diag(covariance) + own
    difference = np.sqrt(np.maximum(0.0, variance[:, None] + variance[None, :] - 2 * covariance))
    return Abilities(rows @ fit.x, np.sqrt(variance), difference)


def quality_scale(model: ItemResponse, fit: Fit, curve: CurveFit) -> QualityScale:
    """Everything that knowledge/quality.toml holds."""
    english = {task: abilities(model, fit, task) for task in TASKS}
    foreign = {task: abilities(model, fit, task, foreign=True) for task in TASKS}
    fitted = {}
    for i, sized in enumerate(model.evidence.models):
        fitted[sized.id] = FittedAbility(
            ability={task: float(english[task].middle[i]) for task in TASKS},
            deviation={task: float(english[task].deviation[i]) for task in TASKS},
            foreign={task: float(foreign[task].middle[i]) for task in TASKS},
            foreign_deviation={task: float(foreign[task].deviation[i]) for task in TASKS},
            **_counts(model, sized),
        )
    return QualityScale(
        models=fitted,
        prior=_prior(model, fit, fitted),
        typical_difficulty={task: _typical(model, fit, task) for task in TASKS},
        losses=losses(curve, fit["discrimination", "mmlu"]),
    )


def _counts(model: ItemResponse, sized: Sized) -> dict[str, Any]:
    evidence = model.evidence
    tests = [evidence.tests[r.benchmark] for r in evidence.results if r.model == sized.id]
    return {
        "n_results": len(tests),
        "n_task_results": {
            task: sum(bool(set(test.skills) & set(evidence.tasks[task])) for test in tests) for task in TASKS
        },
        "n_multilingual": sum(MULTILINGUAL in test.skills for test in tests),
        "languages": frozenset(test.language for test in tests if test.language),
    }


def _typical(model: ItemResponse, fit: Fit, task: str) -> float:
    """Mean difficulty of the benchmarks of a task that at least two results speak about."""
    evidence = model.evidence
    counts = {name: sum(r.benchmark == name for r in evidence.results) for name in evidence.tests}
    of_task = [n for n, test in evidence.tests.items() if set(test.skills) & set(evidence.tasks[task])]
    found = [fit["difficulty", name] for name in of_task if counts[name] > 1]
    return float(np.mean(found))


def _prior(model: ItemResponse, fit: Fit, fitted: Mapping[str, FittedAbility]) -> Prior:
    deviation = {}
    for task in TASKS:
        weights = model.evidence.tasks[task].values()
        own = 1.0 if task in model.evidence.unmeasured else 0.0
        deviation[task] = math.sqrt(fit.sds["model"] ** 2 + fit.sds["skill"] ** 2 * (sum(w * w for w in weights) + own))
    return Prior(
        deviation=deviation,
        per_log_param=fit["trend", "log_params"],
        per_year=fit["trend", "years"],
        mean_log_params=model.mean_log_params,
        mean_years=model.mean_years,
        tuning_deviation=tuning_deviation(model, fitted),
        language_deviation=max(fit.sds["language"], fit.sds["skill"]),
    )


def tuning_deviation(model: ItemResponse, fitted: Mapping[str, FittedAbility]) -> float:
    """Root mean square difference between models of the same number of parameters to the last one, over all tasks."""
    groups: dict[float, list[str]] = {}
    for sized in model.evidence.models:
        if sized.log_params is not None and fitted[sized.id].n_results:
            groups.setdefault(sized.log_params, []).append(sized.id)
    pairs = [pair for group in groups.values() for pair in combinations(group, 2)]
    squares = [(fitted[a].ability[task] - fitted[b].ability[task]) ** 2 for a, b in pairs for task in TASKS]
    return math.sqrt(float(np.mean(squares)))


def losses(curve: CurveFit, log_discrimination: float) -> QuantizationLosses:
    """The curve in logits of ability: a fall of MMLU's logit by its discrimination."""
    measured = {row.quantization for row in curve.rows}
    types = {}
    for name in file_types():
        if name in LOSSLESS:
            continue
        found, deviation = curve.predict(terms(name, REFERENCE_PARAMS, REFERENCE_SERIES, plain=False, mmlu=True))
        log_loss = found - curve.value(f"series {REFERENCE_SERIES}") - log_discrimination
        types[name] = TypeLoss(reference_bits(name), log_loss, deviation, name in measured)
    return QuantizationLosses(
        types=types,
        lossless=frozenset(LOSSLESS),
        size_exponent=curve.value("size"),
        size_deviation=float(np.sqrt(curve.covariance[curve.names.index("size"), curve.names.index("size")])),
        reference_params=REFERENCE_PARAMS,
        series={name: _series(curve, name) for name in sorted(set(LINES.values()))},
        other=_other_series(curve),
        lines=LINES,
    )


def _other_series(curve: CurveFit) -> Series:
    """A series that nobody measured: as the reference, with the scatter of series.

    Caution, not a mean: models trained on more tokens a weight lose more, as Llama 1, 2 and 3 show in their order, and
    what came after Llama 3 was trained on as many.
    """
    unseen = _series(curve, "none that was measured")
    return Series(curve.value(f"series {REFERENCE_SERIES}"), unseen.deviation)


def _series(curve: CurveFit, name: str) -> Series:
    """A series' shift, and what it adds to the variance beyond that of the reference series."""

    def deviation(series: str) -> float:
        return curve.predict(terms("Q4_K_M", REFERENCE_PARAMS, series, plain=False, mmlu=True))[1]

    extra = max(0.0, deviation(name) ** 2 - deviation(REFERENCE_SERIES) ** 2)
    return Series(curve.value(f"series {name}"), math.sqrt(extra))
