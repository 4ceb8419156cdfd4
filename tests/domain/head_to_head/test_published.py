"""Benchmarks side by side: alike, not stated, different."""

from __future__ import annotations

import pytest

from advisor.domain.head_to_head.published import Likeness, shared_benchmarks
from advisor.domain.model import Benchmark, Model
from tests.builders import model


def having(*results: tuple[str, float, str | None], source: str = "card") -> Model:
    return model(benchmarks=tuple(Benchmark(name, score, setting, source) for name, score, setting in results))


def test_the_same_setting_is_comparable_wherever_it_was_reported() -> None:
    a, b = having(("MMLU", 60.0, "5-shot"), source="one"), having(("mmlu", 70.0, "5-shot"), source="two")
    (found,) = shared_benchmarks((a, b))
    assert found.likeness is Likeness.SAME
    assert "two reports" in found.why
    assert [r.score for r in found.results if r] == [60.0, 70.0]


def test_another_setting_is_not_comparable_and_both_are_named() -> None:
    a, b = having(("MMLU", 60.0, "5-shot")), having(("MMLU", 70.0, "0-shot, CoT"))
    (found,) = shared_benchmarks((a, b))
    assert found.likeness is Likeness.DIFFERENT
    assert "5-shot against 0-shot, CoT" in found.why


@pytest.mark.parametrize(("first", "second"), [(None, "5-shot"), ("pass@1", "0-shot pass@1")])
def test_a_setting_stated_in_part_is_neither_alike_nor_different(first: str | None, second: str) -> None:
    a, b = having(("HumanEval", 60.0, first), source="one"), having(("HumanEval", 70.0, second), source="two")
    assert shared_benchmarks((a, b))[0].likeness is Likeness.UNSTATED


def test_two_unstated_settings_are_alike_only_within_one_table() -> None:
    a, b = having(("MT-Bench", 6.0, None), source="one"), having(("MT-Bench", 7.0, None), source="two")
    assert shared_benchmarks((a, b))[0].likeness is Likeness.UNSTATED
    assert shared_benchmarks((a, a))[0].likeness is Likeness.SAME


def test_of_several_settings_the_one_that_all_have_is_taken() -> None:
    a = having(("MMLU", 60.0, "5-shot"), ("MMLU", 65.0, "0-shot, CoT"))
    b = having(("MMLU", 70.0, "0-shot, CoT"))
    (found,) = shared_benchmarks((a, b))
    assert found.likeness is Likeness.SAME
    assert [r.score for r in found.results if r] == [65.0, 70.0]


def test_results_of_the_base_model_and_of_one_model_alone_are_not_shared() -> None:
    a = having(("MMLU", 60.0, "base model, 5-shot"), ("GSM8K", 50.0, "8-shot"))
    assert shared_benchmarks((a, having(("MMLU", 70.0, "5-shot")))) == ()


def test_of_three_models_one_may_be_without_a_result() -> None:
    a, b, c = having(("MMLU", 60.0, "5-shot")), having(), having(("MMLU", 70.0, "5-shot"))
    (found,) = shared_benchmarks((a, b, c))
    assert [None if r is None else r.score for r in found.results] == [60.0, None, 70.0]
