"""How good a model is at a kind of task, on one scale, from published benchmark results.

Benchmarks differ in difficulty and setting, and no model took them all. Each result is read as
`logit(score) = ability of the model - difficulty of the benchmark`, and both are estimated together from the
overlaps; where evidence is thin, a prior from size and release date holds the ability back. Results on benchmarks of
the asked task count fully; all others together tell no more about it than abilities at different tasks agree. The
interval is what the evidence leaves open.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from advisor.domain.model import Model
from advisor.domain.quantization import Quantization

RESULT_SD = 0.35
"""Scatter of one result around the model, in logits: about the spread between reports of the same model."""
PRIOR_SD = 0.6
"""Scatter of models of equal size and age, in logits."""
TASK_SD = 0.5
"""Scatter of a model's abilities at different tasks around their mean, in logits."""
MOST_SWEEPS = 60
SETTLED = 1e-3
"""Change of every ability, in logits, below which the fit is taken to stand."""
PERPLEXITY_SLOPE = 0.178
"""Fall of log perplexity per unit of log parameters: ln(5.9066 / 5.2543) / ln(13.016 / 6.738), from the F16
perplexities of LLaMA 7B and 13B that llama.cpp's quantization README published. It turns a growth of perplexity into
the model size it is worth."""

_TASK_WORDS = {
    "coding": ("humaneval", "mbpp", "livecodebench", "swe-bench", "multipl", "codegen", "spider", "cruxeval"),
    "math": ("math", "gsm", "aime", "mgsm", "olympiad"),
    "reasoning": ("gpqa", "mmlupro", "arc-c", "bbh", "mmlu", "simpleqa", "aime"),
    "chat": ("arenahard", "mt-bench", "mtbench", "wildbench", "ifeval", "alpacaeval", "chatbotarena"),
    "summarization": ("arenahard", "wildbench", "ifeval", "longbench", "infinitebench", "zeroscrolls", "ruler"),
    "translation": ("mgsm", "mmmlu", "multilingual", "mmlufrench", "mmlugerman", "mmluspanish", "mmluitalian",
                    "mmluportuguese", "flores", "tydi"),
    "agents": ("bfcl", "nexus", "tau", "swe-bench", "ifeval", "apibank", "gorilla", "terminal"),
    "vision": ("mmmu", "docvqa", "chartqa", "mathvista", "vqa", "ai2d", "mmmt", "mm-mt", "textvqa"),
}  # fmt: skip
_SCALE_OF_TEN = ("mt-bench", "mtbench", "mmmt", "mm-mt")


@dataclass(frozen=True, slots=True)
class Rating:
    """Expected score on a typical benchmark, 0..1, with the interval of two standard deviations."""

    score: float
    low: float
    high: float
    n_results: int
    n_task_results: int
    """Results on benchmarks of the asked task."""

    @property
    def basis_text(self) -> str:
        if not self.n_results:
            return "no published result found; judged by size and age alone"
        return f"{self.n_results} published results, {self.n_task_results} of them for this task"


@dataclass(frozen=True, slots=True)
class QualityScale:
    """Abilities fitted for one kind of task."""

    abilities: Mapping[str, float]
    deviations: Mapping[str, float]
    typical_difficulty: float
    size_slope: float
    """Growth of ability, in logits, per unit of log parameters."""
    counts: Mapping[str, tuple[int, int]]

    def rating(self, model: Model, quantization: Quantization) -> Rating:
        """The rating of a quantized model: the ability less what a model that much worse in perplexity lacks."""
        ability = self.abilities[model.id] - self.quantization_loss(quantization)
        deviation = self.deviations[model.id]
        n, of_task = self.counts[model.id]
        low, mid, high = (_logistic(ability + k * deviation - self.typical_difficulty) for k in (-2, 0, 2))
        return Rating(mid, low, high, n, of_task)

    def quantization_loss(self, quantization: Quantization) -> float:
        """Logits lost; 0 for a file type that nobody measured, which the caller should say."""
        growth = max(0.0, quantization.perplexity_increase or 0.0)
        return self.size_slope * math.log1p(growth) / PERPLEXITY_SLOPE


@dataclass(frozen=True, slots=True)
class _Result:
    """One published result in logits."""

    model: int
    benchmark: str
    logit: float
    of_task: bool


def fit_scale(models: Sequence[Model], task: str) -> QualityScale:
    """Fit abilities for a task from all published results of all models."""
    features = [_features(model) for model in models]
    by_model, by_benchmark = _grouped(_results(models, task), len(models))
    abilities, difficulty = [0.0] * len(models), dict.fromkeys(by_benchmark, 0.0)
    precisions = [0.0] * len(models)
    coefficients = (0.0, 0.0, 0.0)
    counts = [len(found) for found in by_model]
    for _ in range(MOST_SWEEPS):
        for name, found in by_benchmark.items():
            difficulty[name] = sum([abilities[r.model] - r.logit for r in found]) / len(found)
        coefficients = _regression(features, abilities, counts)
        before = abilities.copy()
        for i, found in enumerate(by_model):
            prior = sum([c * x for c, x in zip(coefficients, features[i], strict=True)])
            abilities[i], precisions[i] = _ability(found, difficulty, prior)
        if max(abs(new - old) for new, old in zip(abilities, before, strict=True)) < SETTLED:
            break
    return QualityScale(
        abilities={m.id: a for m, a in zip(models, abilities, strict=True)},
        deviations={m.id: p**-0.5 for m, p in zip(models, precisions, strict=True)},
        typical_difficulty=_median(list(difficulty.values())),
        size_slope=max(0.0, coefficients[1]),
        counts={m.id: (len(found), sum(r.of_task for r in found)) for m, found in zip(models, by_model, strict=True)},
    )


def _ability(results: Sequence[_Result], difficulty: Mapping[str, float], prior: float) -> tuple[float, float]:
    """Posterior mean and precision of one ability from its results and its prior."""
    precision = 1 / PRIOR_SD**2
    pull = prior * precision
    for of_task, spread in ((True, 0.0), (False, TASK_SD**2)):
        found = [r.logit + difficulty[r.benchmark] for r in results if r.of_task is of_task]
        if found:
            weight = 1 / (RESULT_SD**2 / len(found) + spread)
            pull += weight * sum(found) / len(found)
            precision += weight
    return pull / precision, precision


def _results(models: Sequence[Model], task: str) -> list[_Result]:
    words = _TASK_WORDS[task]
    found = []
    for i, model in enumerate(models):
        for benchmark in model.benchmarks:
            if (benchmark.setting or "").startswith("base model"):
                continue  # the checkpoint before instruction tuning, which nobody here recommends
            name = _normal_name(benchmark.name)
            share = benchmark.score / (
                10.0 if any(w in name for w in _SCALE_OF_TEN) and benchmark.score <= 10 else 100.0
            )
            if 0.0 < share < 1.0:
                of_task = any(word in name for word in words)
                found.append(_Result(i, name, math.log(share / (1 - share)), of_task))
    return found


def _normal_name(name: str) -> str:
    text = re.sub(r"[\s_]+", "", name.lower()).replace("gsm-8k", "gsm8k").replace("mmlu-pro", "mmlupro")
    return text.replace("(pass@1)", "")


def _grouped(results: Sequence[_Result], n_models: int) -> tuple[list[list[_Result]], dict[str, list[_Result]]]:
    by_model: list[list[_Result]] = [[] for _ in range(n_models)]
    by_benchmark: dict[str, list[_Result]] = defaultdict(list)
    for result in results:
        by_model[result.model].append(result)
        by_benchmark[result.benchmark].append(result)
    return by_model, by_benchmark


def _features(model: Model) -> tuple[float, float, float]:
    """Constant, log parameters in billions, years since 2023. A mixture of experts counts as the geometric mean of
    its total and active parameters, the usual rule of thumb."""
    total = model.text_params or model.total_params or model.active_params or 7_000_000_000
    active = model.active_params or total
    year, month = (int(x) for x in (model.release_date or "2024-06").split("-")[:2])
    return (1.0, math.log(math.sqrt(total * active) / 1e9), year - 2023 + (month - 1) / 12)


def _regression(
    features: Sequence[tuple[float, float, float]], values: Sequence[float], counts: Sequence[int]
) -> tuple[float, float, float]:
    """Least squares over the models with results, slightly damped so that it always has a solution."""
    matrix = [[1e-3 if r == c else 0.0 for c in range(3)] + [0.0] for r in range(3)]
    for x, y, n in zip(features, values, counts, strict=True):
        weight = min(n, 5)
        for r in range(3):
            for c in range(3):
                matrix[r][c] += weight * x[r] * x[c]
            matrix[r][3] += weight * x[r] * y
    return _solve(matrix)


def _solve(matrix: list[list[float]]) -> tuple[float, float, float]:
    for i in range(3):
        for r in range(3):
            if r != i:
                factor = matrix[r][i] / matrix[i][i]
                matrix[r] = [a - factor * b for a, b in zip(matrix[r], matrix[i], strict=True)]
    return (matrix[0][3] / matrix[0][0], matrix[1][3] / matrix[1][1], matrix[2][3] / matrix[2][2])


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
