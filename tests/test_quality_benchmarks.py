"""The fit of the quality scale: what it must do whatever the results are, and that the shipped file is its outcome."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli
from hypothesis import strategies as st

from benchmarks.fit_quality import fitted_text
from benchmarks.item_response import Array, Fit, ItemResponse
from benchmarks.quality_rows import TABLE, Evidence, QuestionSet, Result, Sized, read_evidence
from benchmarks.quantization_curve import file_types, fit_curve, read_losses, reference_bits

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
SDS = {"model": 0.5, "skill": 0.2, "language": 0.1, "discrimination": 0.2, "variant": 0.25, "report": 0.25}
SCALES = {**SDS, "trend": 2.0, "difficulty": 2.0}
SKILLS = {"coding": 1.0}


@cache
def shipped() -> tuple[ItemResponse, Fit]:
    model = ItemResponse(read_evidence())
    return model, model.fit()


def made(shares: dict[tuple[str, str], float]) -> Evidence:
    """Results of models a, b, c, ... of one size and date on tests of coding."""
    models = sorted({model for model, _ in shares})
    tests = {test: QuestionSet(test, ("coding",), 0.0, None) for test in sorted({test for _, test in shares})}
    return Evidence(
        models=tuple(Sized(model, 2.0, 1.5, ()) for model in models),
        tests=tests,
        results=tuple(Result(m, t, "only", "one card", share, t) for (m, t), share in shares.items()),
        left_out=(),
        tasks={},
        unmeasured={},
    )


def abilities(evidence: Evidence) -> dict[str, tuple[float, float]]:
    """Ability and variance of each model, with scales given."""
    model = ItemResponse(evidence)
    x, covariance = model.mode(np.zeros(len(model.names)), np.arange(len(evidence.results)), SCALES, 0.15, 40)
    rows = {m.id: model.ability(m, SKILLS) for m in evidence.models}
    return {name: (float(row @ x), float(row @ covariance @ row)) for name, row in rows.items()}


SHARES = st.floats(0.05, 0.95)
PAIRS = [(m, t) for m in "abcd" for t in ("one", "two", "three")]
BODIES = st.fixed_dictionaries(dict.fromkeys(PAIRS, SHARES))


def test_models_without_a_common_benchmark_are_compared_through_a_third() -> None:
    shares = {("strong", "one"): 0.8, ("bridge", "one"): 0.6, ("bridge", "two"): 0.3, ("weak", "two"): 0.2}
    found = abilities(made(shares))
    assert found["strong"][0] > found["bridge"][0] > found["weak"][0]


def test_a_harder_benchmark_does_not_make_a_model_worse() -> None:
    shares = {("a", "easy"): 0.7, ("b", "easy"): 0.7, ("a", "hard"): 0.2, ("c", "hard"): 0.2, ("c", "easy"): 0.7}
    found = abilities(made(shares))
    assert found["a"][0] == pytest.approx(found["b"][0], abs=0.1)


def test_each_further_result_narrows_the_interval() -> None:
    shares = {("b", t): 0.5 for t in ("one", "two", "three")} | {("c", t): 0.6 for t in ("one", "two", "three")}
    variances = []
    for n in (1, 2, 3):
        own = {("a", t): 0.55 for t in ("one", "two", "three")[:n]}
        variances.append(abilities(made(shares | own))["a"][1])
    assert variances == sorted(variances, reverse=True)
    assert variances[0] > variances[-1]


@pytest.mark.parametrize("name", ["llama-3.1-8b-instruct", "mistral-small-3.2-24b-instruct", "pixtral-12b-2409"])
def test_a_shipped_model_is_less_certain_without_half_of_its_results(name: str) -> None:
    model, fit = shipped()
    own = [i for i, r in enumerate(model.evidence.results) if r.model == name]
    keep = np.setdiff1d(np.arange(len(model.evidence.results)), own[::2])
    row = model.ability(next(m for m in model.evidence.models if m.id == name), {"reasoning": 1.0})
    _, fewer = model.mode(fit.x, keep, fit.sds, fit.noise, 10)
    assert _variance(row, fewer) > _variance(row, fit.covariance)


def _variance(row: Array, covariance: Array) -> float:
    return float(row @ covariance @ row)


def test_a_score_at_guessing_level_says_little() -> None:
    """Where guessing earns a quarter, 27 and 26 points are the same; without a floor they are not."""
    shares = {("a", "one"): 0.27, ("b", "one"): 0.26, ("c", "one"): 0.8}
    bare = made(shares)
    guessed = replace(bare, tests={"one": QuestionSet("one", ("coding",), 0.25, None)})
    assert abilities(guessed)["a"][1] > abilities(bare)["a"][1]


def test_every_shipped_result_is_named_by_the_table_or_left_out_for_a_reason() -> None:
    unnamed = [name for name, reason in read_evidence().left_out if reason == "no table names it yet"]
    assert unnamed == [], f"name them in {TABLE} and run python -m benchmarks.fit_quality"


def test_no_result_of_a_base_model_is_used() -> None:
    assert not [r for r in read_evidence().results if "base model" in r.spelling]


def test_the_table_names_no_result_twice_and_gives_reasons() -> None:
    document = tomli.loads(TABLE.read_text("utf-8"))
    named = [(r[0], r[1]) for row in document["benchmark"] for r in row["results"]]
    assert len(named) == len(set(named))
    assert all(row["why"] for kind in ("benchmark", "excluded", "report") for row in document[kind])


def test_the_shipped_scale_is_what_the_script_makes_of_the_shipped_results() -> None:
    ours, again = (tomli.loads(text) for text in ((KNOWLEDGE / "quality.toml").read_text("utf-8"), fitted_text()))
    advice = "run python -m benchmarks.fit_quality"
    assert ours["inputs_sha256"] == again["inputs_sha256"], advice
    assert _leaves(ours) == pytest.approx(_leaves(again), abs=0.011), advice


def _leaves(value: Any, place: str = "") -> dict[str, float]:
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in _leaves(inner, f"{place}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, inner in enumerate(value) for k, v in _leaves(inner, f"{place}[{i}]").items()}
    return {place: float(value)} if isinstance(value, int | float) else {}


def test_the_curve_falls_by_about_what_rounding_theory_expects() -> None:
    """ln 4 a bit; two of its own standard deviations, and a tenth for types that are not plain rounding."""
    curve = fit_curve(read_losses())
    at = curve.names.index("bits")
    assert -curve.x[at] == pytest.approx(np.log(4), abs=2 * float(np.sqrt(curve.covariance[at, at])) + 0.1)
    assert curve.value("size") < 0


def test_every_file_type_has_bits_and_the_losses_name_no_other() -> None:
    assert all(1 < reference_bits(name) <= 32 for name in file_types())
    assert {row.quantization for row in read_losses()} <= set(file_types())
