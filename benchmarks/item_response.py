"""An item-response model of published results, fitted by penalised likelihood with the penalties estimated too.

    logit(share) = logit(floor + (1 - floor) * logistic(x)) + noise
    x = discrimination * (ability - difficulty) + variant + report
    ability = size and age + model + model at these skills (+ model in this language)

Every group of effects has a normal prior around zero whose standard deviation is estimated by MacKay's evidence
updates; posteriors are normal approximations at the mode. Formulas: D. MacKay, "Bayesian Interpolation", Neural
Computation 4 (1992), equations 2.18 to 2.25; the model is the three-parameter logistic of A. Birnbaum (1968).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_rows import Evidence, Result, Sized

Array = NDArray[np.float64]

GROUPS = ("trend", "model", "skill", "language", "difficulty", "discrimination", "variant", "report")
FIXED = {"trend": 2.0, "difficulty": 2.0}
"""Priors too wide to matter, in logits; the others are estimated."""
START = {"model": 0.5, "skill": 0.3, "language": 0.1, "discrimination": 0.2, "variant": 0.3, "report": 0.3}
LEAST_SD, MOST_SD = 0.02, 2.0
SWEEPS = 60
STEPS = 4
"""Gauss-Newton steps between two updates of the priors."""
SETTLED = 2e-3
UNIT = 1e4
"""Precision with which the mean of the logarithms of the discriminations is held at 0."""


@dataclass
class Fit:
    """The mode, its covariance and the scales that were found."""

    names: dict[tuple[str, ...], int]
    groups: NDArray[np.str_]
    x: Array
    covariance: Array
    sds: dict[str, float]
    noise: float

    def __getitem__(self, name: tuple[str, ...]) -> float:
        return float(self.x[self.names[name]])


@dataclass
class ItemResponse:
    """The model over one body of evidence."""

    evidence: Evidence
    names: dict[tuple[str, ...], int] = field(init=False)
    mean_log_params: float = field(init=False)
    mean_years: float = field(init=False)

    def __post_init__(self) -> None:
        known = {r.model for r in self.evidence.results}
        sized = [m for m in self.evidence.models if m.id in known]
        self.mean_log_params = float(np.mean([m.log_params for m in sized if m.log_params is not None]))
        self.mean_years = float(np.mean([m.years for m in sized if m.years is not None]))
        self._sized = {m.id: m for m in self.evidence.models}
        self.names = {name: i for i, name in enumerate(self._all_names())}
        self._abilities = np.array([self._ability_row(r) for r in self.evidence.results])
        self._z = np.array([r.logit for r in self.evidence.results])
        self._floor = np.array([self.evidence.tests[r.benchmark].floor for r in self.evidence.results])
        self._at = {
            kind: np.array([self.names[name(r)] for r in self.evidence.results]) for kind, name in _EFFECTS.items()
        }
        self._groups = np.array([name[0] for name in self.names])
        # Only differences of ability times discrimination are seen: the mean discrimination of a result is set to 1.
        self._mean_discrimination = np.bincount(self._at["discrimination"], minlength=len(self.names)) / len(self._z)

    def _all_names(self) -> list[tuple[str, ...]]:
        names: list[tuple[str, ...]] = [("trend", "log_params"), ("trend", "years"), ("trend", "specialised")]
        for model in self.evidence.models:
            names.append(("model", model.id))
            names += [("skill", model.id, skill) for skill in self.evidence.skills]
        tests = self.evidence.tests
        spoken = {(r.model, tests[r.benchmark].language) for r in self.evidence.results}
        names += [("language", model, tag) for model, tag in sorted(p for p in spoken if p[1]) if tag]
        for name in _EFFECTS.values():
            names += sorted({name(r) for r in self.evidence.results})
        return names

    def trend(self, model: Sized, skills: Mapping[str, float]) -> dict[tuple[str, ...], float]:
        """The known part of an ability: size and age about their means, and what the model was trained further for."""
        trained_for = sum(w for skill, w in skills.items() if skill in model.specialised)
        found: dict[tuple[str, ...], float] = {("trend", "specialised"): trained_for}
        if model.log_params is not None:
            found["trend", "log_params"] = model.log_params - self.mean_log_params
        if model.years is not None:
            found["trend", "years"] = model.years - self.mean_years
        return found

    def ability(self, model: Sized, skills: Mapping[str, float]) -> Array:
        """Weights of all parameters in an ability."""
        row = np.zeros(len(self.names))
        for name, weight in self.trend(model, skills).items():
            row[self.names[name]] = weight
        row[self.names["model", model.id]] = 1.0
        for skill, weight in skills.items():
            row[self.names["skill", model.id, skill]] = weight
        return row

    def _ability_row(self, result: Result) -> Array:
        test = self.evidence.tests[result.benchmark]
        row = self.ability(self._sized[result.model], {skill: 1 / len(test.skills) for skill in test.skills})
        if test.language:
            row[self.names["language", result.model, test.language]] = 1.0
        return row

    def fit(self, keep: Sequence[int] | NDArray[np.int_] | None = None, start: Fit | None = None) -> Fit:
        """The mode from the results that are kept, all by default; every effect stays, at its prior where unseen."""
        rows = np.arange(len(self._z)) if keep is None else np.asarray(keep)
        x = np.zeros(len(self.names)) if start is None else start.x.copy()
        sds, noise = dict(START) | FIXED, 0.3
        if start is not None:
            sds, noise = dict(start.sds), start.noise
        covariance = np.eye(len(x))
        for _ in range(SWEEPS):
            before = (*sds.values(), noise)
            x, covariance = self.mode(x, rows, sds, noise, STEPS)
            residuals = self._z[rows] - self.predict(x)[0][rows]
            sds, noise = self._scales(x, covariance, residuals, sds, noise)
            after = (*sds.values(), noise)
            if max(abs(np.log(np.array(after) / np.array(before)))) < SETTLED:
                break
        return Fit(self.names, self._groups, x, covariance, sds, noise)

    def mode(
        self, x: Array, rows: NDArray[np.int_], sds: Mapping[str, float], noise: float, steps: int
    ) -> tuple[Array, Array]:
        """The mode with its covariance for given scales, after so many Gauss-Newton steps from a place."""
        covariance = np.eye(len(x))
        for _ in range(steps):
            x, covariance = self._step(x, rows, sds, noise)
        return x, covariance

    def _step(self, x: Array, rows: NDArray[np.int_], sds: Mapping[str, float], noise: float) -> tuple[Array, Array]:
        predicted, jacobian = self.predict(x)
        precision = np.array([sds[group] ** -2 for group in self._groups])
        j = jacobian[rows]
        mean = self._mean_discrimination
        information = j.T @ j / noise**2 + np.diag(precision) + UNIT * np.outer(mean, mean)
        covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
        gradient = j.T @ (self._z - predicted)[rows] / noise**2 - precision * x - UNIT * mean * (mean @ x)
        return x + np.clip(covariance @ gradient, -1.0, 1.0), covariance

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Logits of all results, and their derivatives by all parameters."""
        slope: Array = np.exp(x[self._at["discrimination"]])
        gap = self._abilities @ x - x[self._at["difficulty"]]
        inner = slope * gap + x[self._at["variant"]] + x[self._at["report"]]
        share = 1 / (1 + np.exp(-inner))
        whole = self._floor + (1 - self._floor) * share
        # d logit(whole) / d inner
        steep = (1 - self._floor) * share * (1 - share) / (whole * (1 - whole))
        jacobian: Array = (steep * slope)[:, None] * self._abilities
        n = np.arange(len(inner))
        jacobian[n, self._at["difficulty"]] -= steep * slope
        jacobian[n, self._at["discrimination"]] += steep * slope * gap
        jacobian[n, self._at["variant"]] += steep
        jacobian[n, self._at["report"]] += steep
        return np.log(whole / (1 - whole)), jacobian

    def _scales(
        self, x: Array, covariance: Array, residuals: Array, sds: Mapping[str, float], noise: float
    ) -> tuple[dict[str, float], float]:
        """MacKay's updates: each scale from the effects that the data determine."""
        spread = np.diag(covariance)
        found, determined = dict(sds), 0.0
        for group in GROUPS:
            inside = self._groups == group
            well = float(inside.sum() - spread[inside].sum() / sds[group] ** 2)
            determined += well
            if group not in FIXED:
                found[group] = float(np.clip(np.sqrt((x[inside] ** 2).sum() / max(well, 1e-6)), LEAST_SD, MOST_SD))
        left = max(len(residuals) - determined, 0.1 * len(residuals))
        return found, float(np.sqrt((residuals**2).sum() / left))


def _difficulty(r: Result) -> tuple[str, ...]:
    return ("difficulty", r.benchmark)


def _discrimination(r: Result) -> tuple[str, ...]:
    return ("discrimination", r.benchmark)


def _variant(r: Result) -> tuple[str, ...]:
    return ("variant", r.benchmark, r.variant)


def _report(r: Result) -> tuple[str, ...]:
    return ("report", r.benchmark, r.report)


_EFFECTS = {
    "difficulty": _difficulty,
    "discrimination": _discrimination,
    "variant": _variant,
    "report": _report,
}
