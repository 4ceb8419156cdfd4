"""Robust least squares on logarithms for models that are sums of products of positive parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROBUST = 0.08
"""Relative error from which on a row pulls less than quadratically."""
ITERATIONS = 60


@dataclass(frozen=True)
class Term:
    """One addend of a row's time: `size` times the product of the named parameters."""

    size: float
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prior:
    """Where a parameter stays when the rows say nothing about it, and how firmly."""

    value: float
    strength: float


class Problem:
    """Rows as sums of terms, times that were measured, and a weight for each."""

    def __init__(
        self,
        rows: Sequence[Sequence[Term]],
        seconds: Sequence[float],
        weights: Sequence[float],
        priors: Mapping[str, Prior],
    ) -> None:
        kinds = sorted({term.parameters for row in rows for term in row})
        self.names = sorted({name for kind in kinds for name in kind})
        self.sizes = np.zeros((len(rows), len(kinds)))
        for i, row in enumerate(rows):
            for term in row:
                self.sizes[i, kinds.index(term.parameters)] += term.size
        self.exponents = np.array([[float(kind.count(name)) for name in self.names] for kind in kinds])
        self.log_seconds = np.log(np.array(seconds))
        self.weights = np.array(weights)
        self._prior = np.log(np.array([priors[name].value for name in self.names]))
        self._strength = np.array([priors[name].strength for name in self.names])

    def fit(self, keep: NDArray[np.bool_] | None = None) -> Array:
        """Logarithms of the parameters, from the rows that are kept."""
        rows = np.ones(len(self.weights), dtype=bool) if keep is None else keep
        x = self._prior.copy()
        for _ in range(ITERATIONS):
            addends = self.sizes[rows] * np.exp(self.exponents @ x)
            total = addends.sum(axis=1)
            error = np.log(total) - self.log_seconds[rows]
            slope = (addends @ self.exponents) / total[:, None]
            pull = self.weights[rows] / np.sqrt(1 + (error / ROBUST) ** 2)
            normal = slope.T @ (pull[:, None] * slope) + np.diag(self._strength + 1e-9)
            gradient = slope.T @ (pull * error) + self._strength * (x - self._prior)
            step = np.clip(np.linalg.solve(normal, -gradient), -0.7, 0.7)
            x = x + step
            if np.abs(step).max() < 1e-6:
                break
        return np.asarray(x, dtype=np.float64)

    def predict(self, x: Array) -> Array:
        """Seconds of every row."""
        predicted: Array = self.sizes @ np.exp(self.exponents @ x)
        return predicted

    def leave_out(self, groups: Sequence[str]) -> Array:
        """Seconds of every row, from a fit without the rows of its group."""
        predicted = np.zeros(len(groups))
        labels = np.array(groups)
        for group in sorted(set(groups)):
            inside = labels == group
            predicted[inside] = self.predict(self.fit(~inside))[inside]
        return predicted
