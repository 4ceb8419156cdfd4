from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.trial.text_loss import TextScores, divergence, text_difference, text_loss


def scores(name: str, log_likelihoods: list[float], **fields: object) -> TextScores:
    n = len(log_likelihoods)
    return TextScores(name, "a" * 64, 1, tuple(log_likelihoods), (4,) * n, **fields)  # type: ignore[arg-type]


def test_bits_per_byte_and_perplexity_are_their_definitions() -> None:
    found = text_loss(scores("one", [math.log(0.25)] * 100))
    assert found.perplexity.middle == pytest.approx(4)
    assert found.bits_per_byte.middle == pytest.approx(0.5)
    assert found.log_likelihood_per_byte == pytest.approx(math.log(0.25) / 4)


@given(st.lists(st.floats(-8, 8), min_size=5, max_size=40), st.lists(st.floats(-8, 8), min_size=40, max_size=40))
def test_the_divergence_is_a_lower_bound_of_the_whole_one(first: list[float], other: list[float]) -> None:
    p, q = _normal(first), _normal(other[: len(first)])
    whole = sum(math.exp(a) * (a - b) for a, b in zip(p, q, strict=True))
    top = sorted(range(len(p)), key=lambda i: -p[i])[:4]
    found = divergence([p[i] for i in top], [q[i] for i in top])
    assert 0 <= found <= whole + 1e-9
    assert divergence(p, q) == pytest.approx(whole, abs=1e-6)
    assert divergence(p, p) == pytest.approx(0, abs=1e-9)


def _normal(logits: list[float]) -> list[float]:
    whole = math.log(sum(map(math.exp, logits)))
    return [value - whole for value in logits]


def test_a_worse_file_has_a_positive_difference() -> None:
    reference = scores("Q8_0", [-1.0, -2.0] * 100)
    other = scores("Q2_K", [-1.1, -2.2] * 100, agreed=(True, False) * 100, divergences=(0.0, 0.2) * 100)
    found = text_difference(reference, other, 32)
    assert found.is_significant
    assert found.ln_perplexity_ratio.middle == pytest.approx(0.15)
    assert found.agreement.middle == 0.5
    assert found.divergence.middle == pytest.approx(0.1)
    assert found.divergence_p99 == 0.2
    assert found.statement == "on this text Q2_K has a perplexity 16.18% higher than Q8_0"


def test_files_that_differ_by_chance_alone_cannot_be_told_apart() -> None:
    reference = scores("A", [-1.0, -2.0] * 100)
    other = scores("B", [-1.2, -1.8] * 100, agreed=(True,) * 200, divergences=(0.01,) * 200)
    assert "cannot be told apart" in text_difference(reference, other, 32).statement
