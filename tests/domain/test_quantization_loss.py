from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.catalog.quality import load_quality
from advisor.domain.quantization_loss import LOSSLESS, UNKNOWN_TYPE, UNMEASURED, QuantizationLosses
from advisor.paths import knowledge_dir

LADDER = ("Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0")
I_LADDER = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "IQ3_S", "IQ3_M", "IQ4_XS")
LINES = ("llama-3.1", "llama-2", "mistral-7b", "mistral-small-3")
SIZES = st.floats(5e8, 7e11)


@cache
def shipped() -> QuantizationLosses:
    return load_quality(knowledge_dir()).losses


@given(params=SIZES, line=st.sampled_from(LINES), ladder=st.sampled_from((LADDER, I_LADDER)))
def test_within_a_family_fewer_bits_lose_more(params: float, line: str, ladder: tuple[str, ...]) -> None:
    bits = [shipped().types[name].bits for name in ladder]
    losses = [shipped().loss(name, params, line).logits for name in ladder]
    assert bits == sorted(bits)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] > 0


@given(small=SIZES, factor=st.floats(1.01, 100), line=st.sampled_from(LINES), name=st.sampled_from(LADDER + I_LADDER))
def test_a_smaller_model_loses_more(small: float, factor: float, line: str, name: str) -> None:
    assert shipped().loss(name, small, line).logits > shipped().loss(name, small * factor, line).logits


def test_two_bits_cost_a_small_model_clearly_more_than_a_large_one() -> None:
    small, large = (shipped().loss("Q2_K", n, "llama-3.1") for n in (8.03e9, 70.55e9))
    assert small.logits - large.logits > 1.645 * (small.deviation**2 + large.deviation**2) ** 0.5


def test_weights_as_published_lose_nothing() -> None:
    for name in ("F16", "BF16", "F32"):
        assert shipped().loss(name, 8e9, "llama-3.1") == LOSSLESS


def test_a_type_that_nobody_measured_gets_the_curve_and_says_so() -> None:
    loss = shipped().loss("MXFP4_MOE", 8e9, "llama-3.1")
    assert loss.note == UNMEASURED
    assert loss.logits > shipped().loss("Q5_0", 8e9, "llama-3.1").logits
    assert shipped().loss("Q4_K_M", 8e9, "llama-3.1").note is None


@given(params=SIZES, line=st.sampled_from((*LINES, "of nobody")))
def test_a_type_that_nobody_knows_counts_as_the_worst_and_says_so(params: float, line: str) -> None:
    loss = shipped().loss("Q9_X", params, line)
    assert loss.note == UNKNOWN_TYPE
    assert loss.logits == max(shipped().loss(name, params, line).logits for name in shipped().types)
    assert loss.deviation >= loss.logits


def test_a_series_that_nobody_measured_is_less_certain() -> None:
    assert (
        shipped().loss("Q4_K_M", 8e9, "mistral-small-3").deviation
        > 2 * shipped().loss("Q4_K_M", 8e9, "llama-3.1").deviation
    )


def test_every_file_type_of_the_catalogue_has_a_loss() -> None:
    known = set(shipped().types) | shipped().lossless
    assert set(load_catalogue(knowledge_dir()).quantizations) == known


def test_the_curve_follows_the_sourced_perplexities_of_its_reference_model() -> None:
    """In order of the scoreboard's growth of perplexity, no offered type stands more than a place or two off."""
    measured = [
        q for q in load_catalogue(knowledge_dir()).quantizations.values() if q.offered and q.perplexity_increase
    ]
    by_scoreboard = [q.name for q in sorted(measured, key=lambda q: q.perplexity_increase or 0.0)]
    by_curve = sorted(by_scoreboard, key=lambda name: shipped().loss(name, 8.03e9, "llama-3").logits)
    assert max(abs(by_scoreboard.index(name) - by_curve.index(name)) for name in by_curve) <= 2
