from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.fit import Fit, ways_to_run
from advisor.domain.model import Experts, Model
from advisor.domain.placement import cpu_placement
from advisor.domain.pools import memory_pools
from advisor.domain.speed import Speed, estimate_speed
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B, MISTRAL_7B, RTX_4090, constraints, figures, gpu, machine, model


def best_speed(found: Model, quantization: str, *vram: int, context: int = 8192, depth: int = 512) -> Speed:
    fit = best_fit(found, quantization, *vram, context=context)
    held = weights(found.shape, quantization)  # type: ignore[arg-type]
    speed = estimate_speed(found, held, fit, depth_tokens=depth, prompt_tokens=512)
    assert speed is not None
    return speed


def best_fit(found: Model, quantization: str, *vram: int, context: int = 8192) -> Fit:
    here = machine(512 * GIB, *(gpu(v, index=i) for i, v in enumerate(vram)))
    pools = memory_pools(here, constraints().machine, figures(here, RTX_4090))
    base = cpu_placement(context, n_gpus=len(vram))
    assert found.shape is not None
    return ways_to_run(found.shape, weights(found.shape, quantization), base, pools, allow_cpu=True)[0]


def test_an_8b_model_on_a_4090_runs_near_its_published_rate() -> None:
    """llama-bench on an RTX 4090, Llama 3 8B Q4_K_M: 127.7 tokens/s published (XiongjieDai, 2024)."""
    assert best_speed(model(shape=LLAMA_3_8B), "Q4_K_M", 24 * GIB).decode_tokens_per_s == pytest.approx(127.7, rel=0.15)


def test_decoding_slows_down_with_depth() -> None:
    found = model(shape=LLAMA_3_8B, max_context_tokens=131072)
    rates = [
        best_speed(found, "Q4_K_M", 24 * GIB, context=32768, depth=d).decode_tokens_per_s for d in (0, 8192, 32768)
    ]
    assert rates[0] > rates[1] > rates[2]


def test_fewer_bits_decode_faster_on_the_same_device() -> None:
    rates = [best_speed(model(), q).decode_tokens_per_s for q in ("Q4_K_M", "Q6_K", "Q8_0", "F16")]
    assert rates == sorted(rates, reverse=True)


def test_a_mixture_of_experts_is_paid_in_memory_but_not_in_speed() -> None:
    mixtral = model(shape=replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336)))
    dense = model(shape=replace(MISTRAL_7B, ffn_size=8 * 14336))
    assert best_speed(mixtral, "Q4_K_M").decode_tokens_per_s > 2.5 * best_speed(dense, "Q4_K_M").decode_tokens_per_s


def test_spilling_to_ram_costs_by_the_bytes_that_spill() -> None:
    big = model(shape=LLAMA_70B)
    split, whole = best_speed(big, "Q4_K_M", 24 * GIB), best_speed(big, "Q4_K_M", 24 * GIB, 24 * GIB)
    none = best_speed(big, "Q4_K_M")
    assert none.decode_tokens_per_s < split.decode_tokens_per_s < whole.decode_tokens_per_s


def test_the_interval_holds_the_estimate_and_the_basis_is_said() -> None:
    speed = best_speed(model(), "Q4_K_M")
    assert speed.low < speed.decode_tokens_per_s < speed.high
    assert speed.basis.value == "estimated"


def test_an_unknown_gpu_gives_no_number() -> None:
    here = machine(32 * GIB, gpu(24 * GIB))
    pools = memory_pools(here, constraints().machine, figures(here, None))
    held = weights(MISTRAL_7B, "Q4_K_M")
    fit = ways_to_run(MISTRAL_7B, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=True)[0]
    assert estimate_speed(model(), held, fit, depth_tokens=0, prompt_tokens=512) is None
