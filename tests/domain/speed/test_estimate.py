from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.model import Experts
from advisor.domain.speed import estimate_speed
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B, MISTRAL_7B, RTX_4090, model
from tests.domain.speed.placing import best_fit, best_speed, constants, speed_or_none
from tests.shapes import SCOUT

LONG = model(shape=LLAMA_3_8B, max_context_tokens=131072)


def test_an_8b_model_on_a_4090_runs_near_its_published_rate() -> None:
    """llama-bench on an RTX 4090, Llama 3 8B Q4_K_M: 127.7 tokens/s with a build of May 2024 (XiongjieDai), which is
    no row of the fit; later builds start kernels in graphs and gain up to 20 %."""
    rate = best_speed(model(shape=LLAMA_3_8B), "Q4_K_M", 24 * GIB).decode_tokens_per_s
    assert 127.7 < rate < 1.25 * 127.7


def test_decoding_slows_down_with_depth_as_the_cache_is_read() -> None:
    shallow, deep = (best_speed(LONG, "Q4_K_M", 24 * GIB, context=65536, depth=d) for d in (0, 32768))
    seconds = 1 / deep.decode_tokens_per_s - 1 / shallow.decode_tokens_per_s
    cache_bytes = 32768 * 32 * 2 * 2 * 8 * 128
    assert cache_bytes / 1008e9 < seconds < 2 * cache_bytes / 1008e9


@pytest.mark.parametrize("vram", [(), (24 * GIB,)])
def test_fewer_bits_decode_faster_among_the_plain_types(vram: tuple[int, ...]) -> None:
    rates = [best_speed(model(), q, *vram).decode_tokens_per_s for q in ("Q4_K_M", "Q6_K", "Q8_0", "F16")]
    assert rates == sorted(rates, reverse=True)


def test_few_cores_decode_grids_more_slowly_than_more_bits() -> None:
    """On an Apple M2 Max with 4 threads: Q4_0 23.9, Q4_K_S 17.6, Q2_K_S 13.9, IQ2_XXS 8.7, IQ3_S 5.3 tokens/s."""
    found, names = model(shape=LLAMA_3_8B), ("Q4_0", "Q4_K_S", "Q2_K_S", "IQ2_XXS", "IQ3_S")
    rates = [best_speed(found, q, cores=2, platform="darwin-arm64").decode_tokens_per_s for q in names]
    assert rates == sorted(rates, reverse=True)


def test_the_order_of_the_types_is_that_of_the_processor_s_family() -> None:
    """Llama 3.1 8B, tokens/s of Q2_K_S and Q4_K_S: 11.3 and 9.6 on a Ryzen 7950X with 2 threads, 13.9 and 17.6 on an
    Apple M2 Max with 4 (ikawrakow/ik_llama.cpp, discussion 164, mainline column)."""
    found = model(shape=LLAMA_3_8B)

    def rate(quantization: str, platform: str) -> float:
        return best_speed(found, quantization, cores=1, platform=platform).decode_tokens_per_s

    assert rate("Q2_K", "linux-x86_64") > rate("Q4_K_S", "linux-x86_64")
    assert rate("Q2_K", "darwin-arm64") < rate("Q4_K_S", "darwin-arm64")


def test_a_processor_of_an_unknown_family_is_given_the_slower_rates_and_that_is_said() -> None:
    found = model(shape=LLAMA_3_8B)
    for quantization in ("Q4_0", "Q4_K_M", "Q5_K_M", "Q8_0"):
        x86, arm, unknown = (
            best_speed(found, quantization, cores=2, platform=platform)
            for platform in ("linux-x86_64", "linux-aarch64", "linux-riscv64")
        )
        assert unknown.decode_tokens_per_s <= min(x86.decode_tokens_per_s, arm.decode_tokens_per_s)
        assert unknown.prefill_tokens_per_s <= min(x86.prefill_tokens_per_s, arm.prefill_tokens_per_s)
        assert any("family of the processor unknown" in text for text in unknown.assumed)
        assert x86.assumed == arm.assumed == ()


def test_more_cores_help_until_the_memory_is_the_limit() -> None:
    rates = [best_speed(model(), "Q4_K_M", cores=n).decode_tokens_per_s for n in (1, 2, 4, 16)]
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.02)
    assert rates[3] < 1.3 * rates[2]


def test_a_mixture_of_experts_is_paid_in_memory_but_not_in_speed() -> None:
    mixtral = model(shape=replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336)))
    dense = model(shape=replace(MISTRAL_7B, ffn_size=8 * 14336))
    assert best_speed(mixtral, "Q4_K_M").decode_tokens_per_s > 2.5 * best_speed(dense, "Q4_K_M").decode_tokens_per_s


def test_spilling_to_ram_costs_by_the_bytes_that_spill() -> None:
    big = model(shape=LLAMA_70B)
    split, whole = best_speed(big, "Q4_K_M", 24 * GIB), best_speed(big, "Q4_K_M", 24 * GIB, 24 * GIB)
    none = best_speed(big, "Q4_K_M")
    assert none.decode_tokens_per_s < split.decode_tokens_per_s < whole.decode_tokens_per_s
    assert none.prefill_tokens_per_s < split.prefill_tokens_per_s < whole.prefill_tokens_per_s


def test_a_gpu_multiplies_layers_in_memory_from_32_tokens_on_even_where_the_processor_would_be_faster() -> None:
    """llama.cpp sends the weights by the number of tokens alone (`offload_op`), so one token more takes much longer."""
    big = model(shape=LLAMA_70B)
    short, sent, longer = (best_speed(big, "Q4_K_M", 24 * GIB, prompt=n, cores=64).ttft_ms for n in (31, 32, 64))
    assert sent > 3 * short
    assert longer < 1.1 * sent


def test_the_short_rest_of_a_prompt_is_multiplied_where_its_weights_are() -> None:
    """A prompt of one micro-batch and 8 tokens sends the weights once, of one and 32 tokens twice."""
    big = model(shape=LLAMA_70B)
    one, rest, two = (best_speed(big, "Q4_K_M", 24 * GIB, prompt=n, cores=16).ttft_ms for n in (512, 520, 544))
    assert rest - one < 0.5 * (two - one)


def test_a_short_prompt_takes_no_less_than_reading_the_weights() -> None:
    """On a processor of many cores two tokens are multiplied sooner than memory brings the weights."""
    found = model(shape=LLAMA_3_8B)
    speed = best_speed(found, "Q4_K_M", prompt=2, cores=64, depth=1)
    assert speed.ttft_ms >= 0.8 * 1000 / speed.decode_tokens_per_s


def test_layers_on_two_cards_decode_no_faster_than_on_one() -> None:
    one = best_speed(LONG, "Q4_K_M", 48 * GIB).decode_tokens_per_s
    two = best_speed(LONG, "Q4_K_M", 24 * GIB, 24 * GIB).decode_tokens_per_s
    assert 0.9 * one < two < one


def test_two_cards_overlap_on_a_long_prompt_but_not_on_a_short_one() -> None:
    def gain(prompt: int) -> float:
        one = best_speed(LONG, "Q4_K_M", 48 * GIB, prompt=prompt, context=32768)
        two = best_speed(LONG, "Q4_K_M", 24 * GIB, 24 * GIB, prompt=prompt, context=32768)
        return two.prefill_tokens_per_s / one.prefill_tokens_per_s

    assert gain(512) == pytest.approx(1.0)
    assert 1.3 < gain(8192) < 2.0


def test_a_long_prompt_is_read_more_slowly_per_token() -> None:
    rates = [
        best_speed(LONG, "Q4_K_M", 24 * GIB, prompt=n, context=65536).prefill_tokens_per_s for n in (512, 4096, 32768)
    ]
    assert rates == sorted(rates, reverse=True)


def test_a_window_spares_reading_the_cache() -> None:
    full, limited = (
        best_speed(model(shape=shape), "Q4_K_M", 96 * GIB, context=65536, depth=60000).decode_tokens_per_s
        for shape in (replace(SCOUT, window=None), SCOUT)
    )
    assert limited > 1.1 * full


def test_the_interval_holds_the_estimate_and_the_basis_is_said() -> None:
    speed = best_speed(model(), "Q4_K_M")
    assert speed.low < speed.decode_tokens_per_s < speed.high
    assert speed.basis.value == "estimated"


def test_an_unknown_gpu_gives_no_number() -> None:
    assert speed_or_none(model(), "Q4_K_M", 24 * GIB, spec=None) is None


def test_an_unknown_compute_rate_is_assumed_and_said() -> None:
    spec = replace(RTX_4090, fp16_flops=None, int8_ops=None)
    assert any("compute rate unknown" in text for text in best_speed(model(), "Q4_K_M", 24 * GIB, spec=spec).assumed)


def test_stacked_memory_is_not_kept_busy_by_one_request() -> None:
    spec = replace(RTX_4090, bandwidth_bytes_per_s=2039e9)
    plain = best_speed(model(), "Q4_K_M", 80 * GIB, spec=spec).decode_tokens_per_s
    stacked = best_speed(model(), "Q4_K_M", 80 * GIB, spec=replace(spec, stacked_memory=True)).decode_tokens_per_s
    assert stacked < 0.8 * plain


def test_a_model_without_a_shape_is_refused() -> None:
    fit = best_fit(model(), "Q4_K_M")
    with pytest.raises(ValueError, match="no shape"):
        estimate_speed(
            model(shape=None), weights(MISTRAL_7B, "Q4_K_M"), fit, constants(), depth_tokens=0, prompt_tokens=1
        )


@settings(max_examples=40, deadline=None)
@given(
    depth=st.integers(0, 32768),
    more=st.integers(1, 32768),
    prompt=st.integers(1, 4096),
    quantization=st.sampled_from(["Q4_K_M", "Q8_0", "IQ3_M", "F16", "Q2_K"]),
    cards=st.integers(0, 2),
)
def test_speed_never_rises_with_depth(depth: int, more: int, prompt: int, quantization: str, cards: int) -> None:
    vram = (24 * GIB,) * cards
    shallow, deep = (
        best_speed(LONG, quantization, *vram, depth=d, prompt=prompt, context=65536) for d in (depth, depth + more)
    )
    assert 0 < deep.decode_tokens_per_s < shallow.decode_tokens_per_s
    assert 0 < deep.ttft_ms == shallow.ttft_ms


def test_one_estimate_takes_few_calls() -> None:
    """Thousands of candidates are estimated at once; benchmarks/budgets.py times that."""
    found, held = model(shape=LLAMA_70B), weights(LLAMA_70B, "Q4_K_M")
    fit = best_fit(found, "Q4_K_M", 24 * GIB)

    def estimate() -> None:
        estimate_speed(found, held, fit, constants(), depth_tokens=512, prompt_tokens=512)

    estimate()
    n_calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        estimate()
    finally:
        sys.setprofile(None)
    assert n_calls < 250
