"""The scale of quality: knowledge/quality.toml, which `benchmarks/fit_quality.py` generates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.quality import FittedAbility, Prior, QualityScale
from advisor.domain.quantization_loss import QuantizationLosses, Series, TypeLoss

FILE = "quality.toml"


def load_quality(directory: Path, reader: KnowledgeReader | None = None) -> QualityScale:
    """The scale of a knowledge directory. Raises InputError when the file cannot be read or breaks its schema."""
    document = (reader or KnowledgeReader(directory)).read(directory / FILE, "quality")
    tasks = document["tasks"]
    prior = document["prior"]
    deviation = dict(zip(tasks, prior["deviation"], strict=True))
    return QualityScale(
        models={model_id: _fitted(row, tasks) for model_id, row in document["model"].items()},
        prior=Prior(**(prior | {"deviation": deviation})),
        typical_difficulty=dict(zip(tasks, document["typical_difficulty"], strict=True)),
        losses=_losses(document["loss"]),
    )


def _fitted(row: dict[str, Any], tasks: Sequence[str]) -> FittedAbility:
    by_task = ("ability", "deviation", "foreign", "foreign_deviation", "n_task_results")
    return FittedAbility(
        **{key: dict(zip(tasks, row[key], strict=True)) for key in by_task},
        n_results=row["n_results"],
        n_multilingual=row["n_multilingual"],
        languages=frozenset(row["languages"]),
    )


def _losses(row: dict[str, Any]) -> QuantizationLosses:
    return QuantizationLosses(
        types={name: TypeLoss(**found) for name, found in row["type"].items()},
        lossless=frozenset(row["lossless"]),
        size_exponent=row["size_exponent"],
        size_deviation=row["size_deviation"],
        reference_params=row["reference_params"],
        series={name: Series(**found) for name, found in row["series"].items()},
        other=Series(**row["other"]),
        lines=row["lines"],
    )
