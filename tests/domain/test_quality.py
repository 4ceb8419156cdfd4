from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.model import Benchmark
from advisor.domain.quality import fit_scale
from advisor.domain.quantization import Quantization
from advisor.paths import knowledge_dir
from tests.builders import model


@cache
def shipped() -> Catalogue:
    return load_catalogue(knowledge_dir())


def with_results(model_id: str, **scores: float):  # type: ignore[no-untyped-def]
    return model(model_id, benchmarks=tuple(Benchmark(name, score, None, "made") for name, score in scores.items()))


F16 = Quantization("F16", 1, True, 0.0, 0.0, "made", "made")


def test_models_without_a_common_benchmark_are_compared_through_a_third() -> None:
    models = [
        with_results("strong", HumanEval=80, MBPP=80),
        with_results("bridge", HumanEval=60, MBPP=60, LiveCodeBench=30),
        with_results("weak", LiveCodeBench=20),
    ]
    scale = fit_scale(models, "coding")
    assert scale.abilities["strong"] > scale.abilities["bridge"] > scale.abilities["weak"]


def test_a_harder_benchmark_does_not_make_a_model_worse() -> None:
    models = [with_results("a", HumanEval=70, LiveCodeBench=20), with_results("b", HumanEval=70)]
    scale = fit_scale(models, "coding")
    assert scale.abilities["a"] == pytest.approx(scale.abilities["b"], abs=0.15)


def test_less_evidence_gives_a_wider_interval() -> None:
    much, little = with_results("much", HumanEval=70, MBPP=70), with_results("little", HumanEval=70)
    scale = fit_scale([much, little, model("none")], "coding")
    assert scale.deviations["much"] < scale.deviations["little"] < scale.deviations["none"]


def test_results_at_other_tasks_never_tell_all_about_this_one() -> None:
    many = {name: 70.0 for name in ("MATH", "GSM8K", "AIME24", "AIME25", "MMMU", "DocVQA", "GPQA")}
    scale = fit_scale([with_results("elsewhere", **many), with_results("here", HumanEval=70, MBPP=70)], "coding")
    assert scale.deviations["elsewhere"] > scale.deviations["here"]


def test_quantization_costs_more_the_more_perplexity_grows() -> None:
    scale = fit_scale(shipped().models, "chat")
    losses = [scale.quantization_loss(replace(F16, perplexity_increase=p)) for p in (0.0, 0.01, 0.05, 0.5)]
    assert losses[0] == 0
    assert losses == sorted(losses)


def test_the_shipped_models_stand_in_the_order_the_field_would_expect() -> None:
    abilities = fit_scale(shipped().models, "chat").abilities
    for better, worse in (
        ("llama-3.3-70b-instruct", "llama-3.1-8b-instruct"),
        ("llama-3.1-8b-instruct", "llama-3.2-1b-instruct"),
        ("llama-3.1-8b-instruct", "llama-2-7b-chat"),
        ("mistral-small-3.2-24b-instruct", "mistral-7b-instruct-v0.3"),
        ("ministral-3-14b-instruct", "ministral-3-3b-instruct"),
    ):
        assert abilities[better] > abilities[worse]
