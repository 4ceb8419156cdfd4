"""Tables of benchmarks/quality.md."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from advisor.domain.quality import DEVIATIONS, QualityScale
from benchmarks.item_response import GROUPS, Fit, ItemResponse
from benchmarks.quality_check import OURS, Check
from benchmarks.quality_rows import TASKS, Evidence
from benchmarks.quality_scale import abilities
from benchmarks.quantization_curve import REFERENCE_PARAMS, CurveFit, LossRow
from benchmarks.rival_scales import RIVALS

RAW = ("mmlu", "mmlu-pro", "gpqa", "ifeval", "humaneval", "math", "mgsm", "mmmu")
"""The benchmarks that most models took, for the eye."""
SIZES = (1.2e9, 8e9, 24e9, 70e9)

Rows = Sequence[Sequence[str]]


def table(title: str, header: Sequence[str], rows: Rows, note: str = "") -> str:
    """A Markdown table under a title."""
    lines = [f"### {title}\n", *([note + "\n"] if note else []), f"| {' | '.join(header)} |"]
    lines += ["|" + " --- |" * len(header), *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def check_table(check: Check) -> str:
    """Coverage, and errors beside simpler ways."""
    n, comparable = len(check.shares), int(check.comparable.sum())
    rows = [[name, f"{check.error(name):.1f}"] for name in (OURS, *RIVALS)]
    held = ", ".join(
        f"{check.coverage(level):.1%} within the interval of {level}" for level in ("50 %", "90 %", "95 %")
    )
    note = f"{n} results: {held}. Errors over the {comparable} whose benchmark other results still spoke about:"
    return table(check.title, ["prediction", "mean error, points of 100"], rows, note)


def parameter_table(model: ItemResponse, fit: Fit) -> str:
    """What the fit found beside abilities."""
    words = {
        "model": "a model around what size and age tell",
        "skill": "a model's skill around the model",
        "language": "a model in one language around that",
        "discrimination": "logarithm of a benchmark's discrimination",
        "variant": "a way of asking",
        "report": "who reported",
    }
    rows = [[words[group], f"{fit.sds[group]:.2f}"] for group in GROUPS if group in words]
    rows += [["one result around all of this", f"{fit.noise:.2f}"]]
    trend = {"log_params": "e times the parameters", "years": "one year", "specialised": "training for the skill"}
    rows += [[f"trend: {text}", f"{fit['trend', key]:+.2f}"] for key, text in trend.items()]
    return table("Scales, in logits", ["effect", "standard deviation, or slope"], rows)


def independence_line(model: ItemResponse, fit: Fit) -> str:
    """How much wider the difference of two models is when their abilities are taken as independent."""
    ratios = []
    for task in TASKS:
        found = abilities(model, fit, task)
        above = np.triu_indices(len(found.middle), 1)
        apart = np.hypot(found.deviation[:, None], found.deviation[None, :])[above]
        ratios += list(apart / found.difference[above])
    low, middle, high = np.quantile(ratios, (0.05, 0.5, 0.95))
    return (
        "### Abilities taken as independent\n\n"
        "The program compares two models as if their abilities were independent. The standard deviation of a "
        f"difference is then {middle:.2f} times that of the joint posterior in the median, {low:.2f} to "
        f"{high:.2f} times for nine pairs in ten.\n"
    )


def benchmark_table(model: ItemResponse, fit: Fit) -> str:
    """Difficulty and discrimination of every benchmark."""
    counts = Counter(r.benchmark for r in model.evidence.results)
    rows = [
        [
            name, ", ".join(test.skills), str(counts[name]), f"{test.floor:g}", f"{fit['difficulty', name]:+.2f}",
            f"{np.exp(fit['discrimination', name]):.2f}",
        ]
        for name, test in model.evidence.tests.items()
    ]  # fmt: skip
    return table("Benchmarks", ["benchmark", "skills", "results", "guessing", "difficulty", "discrimination"], rows)


def scale_table(scale: QualityScale, evidence: Evidence) -> str:
    """The scale with its intervals, strongest first."""
    typical = scale.typical_difficulty
    order = sorted(scale.models, key=lambda m: (-sum(scale.models[m].ability.values()), m))
    rows = [
        [name, str(scale.models[name].n_results)]
        + [
            _interval(scale.models[name].ability[t] - typical[t], scale.models[name].deviation[t])
            + f" ({scale.models[name].n_task_results[t]})"
            for t in TASKS
        ]
        for name in order
    ]
    note = (
        "Expected share of right answers on a typical benchmark of the task, in points of 100, with the interval of "
        "90 % and the number of results on the task. "
        + " ".join(f"{t}: {why}." for t, why in evidence.unmeasured.items())
    )
    return table("The scale", ["model", "results", *TASKS], rows, note)


def _interval(logit: float, deviation: float) -> str:
    low, middle, high = (
        round(100 / (1 + np.exp(-x))) for x in (logit + by * DEVIATIONS * deviation for by in (-1, 0, 1))
    )
    return f"{middle} [{low}–{high}]"


def raw_table(scale: QualityScale, evidence: Evidence) -> str:
    """Mean ability beside the raw scores."""
    means = {m: float(np.mean(list(fitted.ability.values()))) for m, fitted in scale.models.items()}
    rows = []
    for name in sorted(means, key=lambda m: (-means[m], m)):
        cells = []
        for test in RAW:
            found = [r for r in evidence.results if r.model == name and r.benchmark == test]
            cells.append(", ".join(f"{100 * r.share:.1f} {r.variant}" for r in found))
        if any(cells):
            deviation = float(np.mean(list(scale.models[name].deviation.values())))
            rows.append([name, f"{means[name]:+.2f} ± {DEVIATIONS * deviation:.2f}", *cells])
    note = (
        "Mean ability over the tasks in logits, with the interval of 90 %, beside published scores and their variants."
    )
    return table("Beside the raw benchmarks", ["model", "ability", *RAW], rows, note)


def left_out_table(evidence: Evidence) -> str:
    """Results that are not used, by reason."""
    counts = Counter(reason for _, reason in evidence.left_out)
    rows = [[str(n), reason] for reason, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    return table("Results left out", ["results", "reason"], rows)


def curve_table(scale: QualityScale) -> str:
    """Logits of ability lost, by type and size, for a model of the reference series and of none."""
    rows = []
    for name, found in sorted(scale.losses.types.items(), key=lambda pair: pair[1].bits):
        cells = [f"{scale.losses.loss(name, size, 'llama-3').logits:.3f}" for size in SIZES]
        other = scale.losses.loss(name, 8e9, "")
        rows.append([name, f"{found.bits:.2f}", "yes" if found.measured else "no, curve", *cells,
                     f"{other.logits:.3f} (+{other.deviation:.3f})"])  # fmt: skip
    header = ["type", "bits", "measured", *(f"Llama 3, {size / 1e9:g}B" for size in SIZES), "unmeasured series, 8B"]
    return table("What quantization costs, in logits of ability", header, rows)


def curve_text(curve: CurveFit, rows: Sequence[LossRow], coverage: Mapping[str, tuple[int, int]]) -> str:
    """The constants of the curve and what was left out."""
    noise = ", ".join(f"{row.quantization} ({row.series}, {row.measure})" for row in rows if row.is_noise)
    held = "; ".join(f"{name}: {inside} of {n}" for name, (inside, n) in coverage.items())
    sds = ", ".join(f"{group} {sd:.2f}" for group, sd in curve.sds.items())
    plain, measure = np.exp(curve.value("plain")), np.exp(curve.value("measure"))
    sentences = (
        f"{len(curve.rows)} published losses.",
        f"The logarithm of a loss falls by {_constant(curve, 'bits')} with each bit; theory says ln 4 = 1.386.",
        f"It falls by {_constant(curve, 'size')} with each e-fold of parameters.",
        f"Standard deviations of logarithms: {sds}, one figure {curve.noise:.2f}.",
        f"A file without an importance matrix loses {plain:.2f} times as much.",
        f"One of ln(PPL ratio) is {measure:.2f} logits of MMLU.",
        f"Left out, within two standard errors of no loss: {noise}.",
    )
    held_text = (
        f"Perplexities within the interval of 90 % of a curve that had not seen their series: {held}. The rows of a "
        "series share its effect, so each series is one draw."
    )
    return "\n".join(["### The curve of quantization losses\n", " ".join(sentences), "", held_text, ""])


def _constant(curve: CurveFit, name: str) -> str:
    i = curve.names.index(name)
    return f"{-curve.x[i]:.3f} ± {math.sqrt(curve.covariance[i, i]):.3f}"


def residual_table(curve: CurveFit) -> str:
    """Every loss beside the curve."""
    rows = [
        [r.series, f"{r.params / 1e9:.1f}", r.quantization, "yes" if r.importance_matrix else "no", r.measure,
         f"{r.loss:.4f}", f"{r.loss * np.exp(-miss):.4f}", f"{np.exp(miss) - 1:+.0%}"]
        for r, miss in zip(curve.rows, curve.residuals, strict=True)
    ]  # fmt: skip
    header = ["series", "billions", "type", "importance matrix", "measure", "published", "curve", "residual"]
    return table(f"Residuals of the curve (reference {REFERENCE_PARAMS / 1e9:.2f} billion parameters)", header, rows)


def languages_table(scale: QualityScale) -> str:
    """What is known of other languages."""
    rows = []
    for name, fitted in sorted(scale.models.items()):
        if fitted.n_multilingual:
            shift = fitted.foreign["chat"] - fitted.ability["chat"]
            rows.append([name, str(fitted.n_multilingual), ", ".join(sorted(fitted.languages)), f"{shift:+.2f}"])
    note = "A chat in other languages than English against one in English, in logits, beyond what holds for all models."
    return table("Other languages", ["model", "results", "languages with results of their own", "shift"], rows, note)
