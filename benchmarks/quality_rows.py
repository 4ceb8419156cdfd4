"""Published results as rows of the quality fit, by the table in benchmarks/data/quality_benchmarks.toml."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from advisor._toml import load_toml
from advisor.catalog.models import read_models
from advisor.domain.model import Benchmark, Model
from advisor.domain.quality import effective_params, years

DATA = Path(__file__).parent / "data"
TABLE = DATA / "quality_benchmarks.toml"
KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
TASKS = ("chat", "coding", "reasoning", "math", "translation", "summarization", "agents", "vision")
BASE_MODEL = "base model"
"""How the catalogue begins the setting of a result that was measured before instruction tuning."""


@dataclass(frozen=True)
class Result:
    """One published result, named by what is the same in others."""

    model: str
    benchmark: str
    variant: str
    report: str
    share: float
    """0..1, between the ends of the benchmark's scale."""
    spelling: str
    """Name and setting as published."""

    @property
    def logit(self) -> float:
        return math.log(self.share / (1 - self.share))


@dataclass(frozen=True)
class QuestionSet:
    """A set of questions."""

    id: str
    skills: tuple[str, ...]
    floor: float
    language: str | None


@dataclass(frozen=True)
class Sized:
    """What the prior of a model rests on."""

    id: str
    log_params: float | None
    """Natural logarithm of the effective parameters in billions."""
    years: float | None
    """Since 2023-01."""
    specialised: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Everything that the fit reads."""

    models: tuple[Sized, ...]
    tests: Mapping[str, QuestionSet]
    results: tuple[Result, ...]
    left_out: tuple[tuple[str, str], ...]
    """Result and reason."""
    tasks: Mapping[str, Mapping[str, float]]
    """Task to weights of skills."""
    unmeasured: Mapping[str, str]
    """Tasks that no benchmark exercises, and why the nearest is near."""

    @cached_property
    def skills(self) -> tuple[str, ...]:
        return tuple(sorted({skill for test in self.tests.values() for skill in test.skills}))

    @cached_property
    def sha256(self) -> str:
        """Of everything that the fit reads, so that a fitted file can say from what it was made."""
        content = [[asdict(m) for m in self.models], [asdict(t) for t in self.tests.values()]]
        rows = [[asdict(r) for r in self.results], {k: dict(v) for k, v in self.tasks.items()}, dict(self.unmeasured)]
        return sha256(json.dumps([*content, *rows], sort_keys=True).encode()).hexdigest()


def read_evidence(knowledge: Path = KNOWLEDGE, table: Path = TABLE) -> Evidence:
    """The catalogue's results under the table. Raises InputError for a file that is no TOML."""
    document = load_toml(table)
    paths = sorted((knowledge / "models").glob("*/*.toml"))
    models = sorted((m for path in paths for m in read_models(load_toml(path), path)), key=lambda m: m.id)
    tests = {row["id"]: _test(row) for row in document["benchmark"]}
    results, left_out = _results(models, document)
    return Evidence(
        models=tuple(_sized(model, document["specialised"]) for model in models),
        tests={key: tests[key] for key in sorted({r.benchmark for r in results})},
        results=tuple(results),
        left_out=tuple(left_out),
        tasks={row["id"]: row["skills"] for row in document["task"]},
        unmeasured={row["id"]: row["why"] for row in document["task"] if row.get("unmeasured")},
    )


def _test(row: Mapping[str, Any]) -> QuestionSet:
    return QuestionSet(row["id"], tuple(row["skills"]), row.get("floor", 0.0), row.get("language"))


def _sized(model: Model, specialised: list[dict[str, Any]]) -> Sized:
    params, since = effective_params(model), years(model)
    skills = {skill for row in specialised if model.id in row["models"] for skill in row["skills"]}
    return Sized(model.id, None if params is None else math.log(params / 1e9), since, tuple(sorted(skills)))


def _results(models: list[Model], document: Mapping[str, Any]) -> tuple[list[Result], list[tuple[str, str]]]:
    named = {(r[0], r[1]): (row, r[2]) for row in document["benchmark"] for r in row["results"]}
    excluded = {(row["name"], row["setting"]): row["why"] for row in document["excluded"]}
    reports = {source: row["id"] for row in document["report"] for source in row["sources"]}
    found, left_out = [], []
    for model in models:
        for result in model.benchmarks:
            key = (result.name, result.setting or "")
            spelling = f"{result.name} ({result.setting})" if result.setting else result.name
            if key in named:
                row, variant = named[key]
                report = reports.get(result.source, result.source)
                found.append(Result(model.id, row["id"], variant, report, _share(result, row), spelling))
            else:
                left_out.append((f"{model.id}: {spelling}", _reason(key, excluded)))
    return found, left_out


def _reason(key: tuple[str, str], excluded: Mapping[tuple[str, str], str]) -> str:
    if key[1].startswith(BASE_MODEL):
        return "measured on the base model, before instruction tuning"
    return excluded.get(key, "no table names it yet")


def _share(result: Benchmark, row: Mapping[str, Any]) -> float:
    lowest, highest = float(row.get("lowest", 0.0)), float(row.get("highest", 100.0))
    # A score at the end of the scale has no logit; it is as far from it as half a question in a hundred.
    return min(0.995, max(0.005, (result.score - lowest) / (highest - lowest)))
