"""What quantization costs, as a curve over bits per weight and model size, fitted to published tables.

    ln(loss) = level + series + family + type + plain + measure + size * ln(N / 8.03e9) + bits * (b - 4.5) + noise

`loss` is ln(PPL / PPL of F16), or the fall of MMLU in logits above guessing; b are the bits per weight that the file
type has on Llama 3 8B. A straight line in b is what theory expects: the squared rounding error falls by 4 with each
bit. `series` are models trained alike, whose losses differ threefold at equal size; `plain` is a file made without an
importance matrix; `measure` turns a loss of perplexity into one of MMLU. Effects of series, family and type have
normal priors whose widths are estimated (MacKay's evidence updates, as in benchmarks/item_response.py).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor._toml import load_toml
from advisor.domain.model import Shape
from advisor.domain.weights import weights
from benchmarks.quality_rows import DATA, KNOWLEDGE

Array = NDArray[np.float64]

REFERENCE_SHAPE = Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, tied_embeddings=False, rope_factors=True)
REFERENCE_PARAMS = 8_030_261_248
"""Llama 3 8B, on which most was measured."""
PERPLEXITY, MMLU = "ln_ppl_ratio", "mmlu_logits"
MIDDLE_BITS = 4.5
NOMINAL_BITS = {"MXFP4_MOE": 4.25}
"""Types whose bits the dense reference cannot show: only experts are of 4 bits, in blocks of 4.25 bits a weight."""
LOSSLESS = ("F32", "F16", "BF16")
LEGACY = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "MXFP4_MOE", "Q1_0", "Q2_0", "TQ1_0", "TQ2_0")
"""One scale a block and no search for it; the others are K-quants and, by name, I-quants."""
WIDE = 10.0
GROUPS = {"series": 1.0, "family": 0.5, "type": 0.2}
"""Where the widths of the priors start."""
TIMES_ERROR = 2.0
"""A loss below this many standard errors has no meaningful logarithm and is left out, and printed."""


@dataclass(frozen=True)
class LossRow:
    series: str
    params: int
    quantization: str
    importance_matrix: bool
    measure: str
    loss: float
    error: float
    source: str

    @property
    def is_noise(self) -> bool:
        return self.loss < TIMES_ERROR * self.error


@dataclass(frozen=True)
class CurveFit:
    names: tuple[str, ...]
    x: Array
    covariance: Array
    sds: Mapping[str, float]
    noise: float
    rows: tuple[LossRow, ...]
    residuals: Array

    def value(self, *names: str) -> float:
        """Sum of effects; those that no row speaks about are 0."""
        return float(sum(self.x[self.names.index(name)] for name in names if name in self.names))

    def predict(self, terms: Mapping[str, float]) -> tuple[float, float]:
        """A logarithm of a loss with its standard deviation; unseen effects add the width of their prior."""
        row, extra = np.zeros(len(self.names)), 0.0
        for name, weight in terms.items():
            if name in self.names:
                row[self.names.index(name)] = weight
            else:
                extra += (weight * self.sds[name.partition(" ")[0]]) ** 2
        return float(row @ self.x), math.sqrt(float(row @ self.covariance @ row) + extra)


def read_losses() -> list[LossRow]:
    """The published losses."""
    with (DATA / "quantization_losses.csv").open(encoding="utf-8", newline="") as file:
        return [
            LossRow(
                row["series"], int(row["params"]), row["quantization"], row["importance_matrix"] == "yes",
                row["measure"], float(row["loss"]), float(row["error"]), row["source"],
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def file_types() -> list[str]:
    """Every file type of the catalogue."""
    return [row["name"] for row in load_toml(KNOWLEDGE / "quantizations.toml")["quantization"]]


def reference_bits(quantization: str) -> float:
    """Bits per weight of the whole file of the reference model."""
    if quantization in NOMINAL_BITS:
        return NOMINAL_BITS[quantization]
    held = weights(REFERENCE_SHAPE, quantization)
    return held.total_bytes * 8 / held.n_elements


def family(quantization: str) -> str:
    if quantization in LEGACY:
        return "legacy"
    return "iq" if quantization.startswith("IQ") else "k"


def terms(quantization: str, params: float, series: str, *, plain: bool, mmlu: bool) -> dict[str, float]:
    """Effects in the logarithm of a loss, with their weights."""
    return {
        "level": 1.0,
        "size": math.log(params / REFERENCE_PARAMS),
        "bits": reference_bits(quantization) - MIDDLE_BITS,
        "plain": float(plain),
        "measure": float(mmlu),
        f"series {series}": 1.0,
        f"family {family(quantization)}": 1.0,
        f"type {quantization}": 1.0,
    }


def fit_curve(rows: Sequence[LossRow]) -> CurveFit:
    """Fit all rows that are above their noise."""
    used = [row for row in rows if not row.is_noise]
    weighted = [
        terms(r.quantization, r.params, r.series, plain=not r.importance_matrix, mmlu=r.measure == MMLU) for r in used
    ]
    names = tuple(sorted({name for row in weighted for name in row}))
    design = np.array([[row.get(name, 0.0) for name in names] for row in weighted])
    y = np.log([row.loss for row in used])
    error = np.array([row.error / row.loss for row in used])
    groups = np.array([name.partition(" ")[0] for name in names])
    sds, noise = dict(GROUPS), 0.2
    for _ in range(500):
        before = (*sds.values(), noise)
        precision = np.array([sds.get(group, WIDE) ** -2 for group in groups])
        weight = 1 / (noise**2 + error**2)
        covariance = np.linalg.inv(design.T @ (weight[:, None] * design) + np.diag(precision))
        x = covariance @ (design.T @ (weight * y))
        residuals = y - design @ x
        for group in GROUPS:
            inside = groups == group
            well = inside.sum() - np.diag(covariance)[inside].sum() / sds[group] ** 2
            sds[group] = float(np.clip(np.sqrt((x[inside] ** 2).sum() / max(well, 1e-6)), 0.02, 3.0))
        determined = len(names) - float((np.diag(covariance) * precision).sum())
        noise = float(np.sqrt(max(1e-4, ((residuals**2 - error**2).sum()) / (len(y) - determined))))
        if max(abs(np.log(np.array((*sds.values(), noise)) / np.array(before)))) < 1e-4:
            break
    return CurveFit(names, x, covariance, sds, noise, tuple(used), residuals)
