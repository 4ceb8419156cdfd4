"""The step of a replica: held against the speed of single requests, and against the physics of batches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.capacity import llamacpp, vllm
from advisor.domain.capacity.step import StepCosts
from advisor.domain.fit import Fit, ways_to_run
from advisor.domain.model import Experts, Shape
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.speed import estimate_speed
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B, MISTRAL_7B, model
from tests.domain.capacity.making import gpu, serving, speed_constants
from tests.shapes import SCOUT

MIXTRAL = replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336))
RAM = Pool("RAM", "ram", 256 * GIB, None, 80e9, None, "cpu", cores=16)
CUDA = Pool("GPU0", "gpu", 24 * GIB, None, 1008e9, 165e12, "cuda", int8_ops=660e12)


def placed(shape: Shape, *gpus: Pool, slots: int = 8, context: int = 2048, depth: int = 640) -> tuple[Fit, StepCosts]:
    pools = (RAM, *gpus)
    base = cpu_placement(context * slots, parallel=slots, threads=16, n_gpus=len(gpus))
    held = weights(shape, "Q4_K_M")
    fit = ways_to_run(shape, held, base, pools, allow_cpu=True)[0]
    costs = llamacpp.step_costs(shape, held, fit, speed_constants(), depth_tokens=depth)
    assert costs is not None
    return fit, costs


@pytest.mark.parametrize("shape", [MISTRAL_7B, LLAMA_3_8B, MIXTRAL, LLAMA_70B])
@pytest.mark.parametrize("n_gpus", [0, 1, 2])
def test_one_request_alone_is_as_fast_as_the_speed_model_says(shape: Shape, n_gpus: int) -> None:
    """Whole on GPUs, split with the processor, and on the processor alone."""
    fit, costs = placed(shape, *(replace(CUDA, name=f"GPU{i}") for i in range(n_gpus)), slots=1)
    held = weights(shape, "Q4_K_M")
    speed = estimate_speed(model("m", shape), held, fit, speed_constants(), depth_tokens=640, prompt_tokens=512)
    assert speed is not None
    assert costs.token_s(1, 640) == pytest.approx(1 / speed.decode_tokens_per_s, rel=0.01)
    # On several GPUs the speed model overlaps micro-batches, of which 512 tokens are only one.
    assert 1000 * costs.prompt_s(512, 2048) == pytest.approx(speed.ttft_ms, rel=0.08)


@pytest.mark.parametrize("shape", [LLAMA_3_8B, MIXTRAL, LLAMA_70B, SCOUT])
@pytest.mark.parametrize("cores", [4, 64])
@pytest.mark.parametrize("n", [8, 31, 32, 64, 520, 4096])
def test_a_prompt_for_layers_in_memory_takes_as_long_in_plans_as_in_the_speed_model(
    shape: Shape, cores: int, n: int
) -> None:
    """Half of the layers on a small GPU: whichever of GPU and processor multiplies the others, both say the same."""
    held = weights(shape, "Q4_K_M")
    pools = (replace(RAM, cores=cores, family="x86"), replace(CUDA, budget_bytes=held.total_bytes // 2 + GIB))
    base = cpu_placement(8192, threads=cores, n_gpus=1)
    fits = [fit for fit in ways_to_run(shape, held, base, pools, allow_cpu=True) if any(fit.placement.gpu_layers)]
    assert fits
    for fit in fits:
        speed = estimate_speed(model("m", shape), held, fit, speed_constants(), depth_tokens=n, prompt_tokens=n)
        costs = llamacpp.step_costs(shape, held, fit, speed_constants(), depth_tokens=n)
        assert speed is not None
        assert costs is not None
        assert 1000 * costs.prompt_s(n, 2048) == pytest.approx(speed.ttft_ms, rel=0.08)


def test_as_many_sequences_as_llama_cpp_sends_weights_for_are_multiplied_on_the_gpu() -> None:
    """Its rule looks at the tokens of a batch, be they of prompts or of answers."""
    held = weights(LLAMA_70B, "Q4_K_M")
    base = cpu_placement(8192, threads=4, n_gpus=1)
    fit = ways_to_run(LLAMA_70B, held, base, (replace(RAM, cores=4), CUDA), allow_cpu=True)[0]
    costs = llamacpp.step_costs(LLAMA_70B, held, fit, speed_constants(), depth_tokens=640)
    assert costs is not None
    assert 0 < sum(fit.placement.gpu_layers) < LLAMA_70B.n_layers
    sent_from = speed_constants().sent_from_tokens
    slopes = [costs.decode_s(n + 1) - costs.decode_s(n) for n in (sent_from - 2, sent_from)]
    assert slopes[1] < slopes[0] / 5


@pytest.mark.parametrize("gpus", [(), (replace(CUDA, budget_bytes=96 * GIB),)])
def test_a_long_prompt_is_spared_what_lies_outside_a_window(gpus: tuple[Pool, ...]) -> None:
    fit, costs = placed(SCOUT, *gpus, slots=1, context=65536, depth=60_000)
    speed = estimate_speed(
        model("m", SCOUT), weights(SCOUT, "Q4_K_M"), fit, speed_constants(), depth_tokens=60_000, prompt_tokens=60_000
    )
    assert speed is not None
    assert costs.token_s(1, 60_000) == pytest.approx(1 / speed.decode_tokens_per_s, rel=0.01)
    assert 1000 * costs.prompt_s(60_000, 2048) == pytest.approx(speed.ttft_ms, rel=0.08)


@pytest.mark.parametrize("shape", [MISTRAL_7B, MIXTRAL])
@pytest.mark.parametrize("gpus", [(), (CUDA,)])
def test_a_larger_batch_takes_longer_but_less_per_sequence(shape: Shape, gpus: tuple[Pool, ...]) -> None:
    """Up to the size from which on llama.cpp sends weights that lie in system memory to the GPU."""
    _, costs = placed(shape, *gpus)
    sizes = (1, 2, 4, 8, 16, 31)
    times = [costs.token_s(n, 640) for n in sizes]
    assert times == sorted(times)
    shares = [t / n for t, n in zip(times, sizes, strict=True)]
    assert shares == sorted(shares, reverse=True)


def test_a_mixture_reads_more_experts_the_more_sequences_there_are() -> None:
    _, costs = placed(MIXTRAL, replace(CUDA, budget_bytes=80 * GIB))
    assert costs.visited_share(1) == pytest.approx(2 / 8)
    assert costs.visited_share(8) == pytest.approx(1 - 0.75**8)
    assert costs.visited_share(10_000) == pytest.approx(1.0)


def test_vllm_reads_the_weights_once_per_step() -> None:
    """A step never beats the bytes it must read at the published bandwidth."""
    h100, own = gpu("H100"), serving().vllm.by_backend["cuda"]
    costs = vllm.step_costs(LLAMA_3_8B, "BF16", vllm.Group(h100, 1), own)
    assert costs is not None
    held = vllm.sized(LLAMA_3_8B, "BF16")
    assert costs.token_s(1, 0) > (held.dense + held.output) / h100.bandwidth_bytes_per_s
    cache = vllm.kv_token_bytes(LLAMA_3_8B)
    assert cache == 131072
    added = costs.token_s(8, 2000) - costs.token_s(8, 1000)
    assert added > 8 * 1000 * cache / h100.bandwidth_bytes_per_s


def test_fp8_halves_the_layers_and_leaves_embedding_and_output() -> None:
    whole, half = vllm.sized(LLAMA_3_8B, "BF16"), vllm.sized(LLAMA_3_8B, "FP8")
    assert half.dense == pytest.approx(whole.dense / 2)
    assert half.output == whole.output
    assert half.embedding == whole.embedding
    # Norms are stored in FP32 in GGUF files, so the sum is a little more than two bytes a weight.
    assert whole.total == pytest.approx(2 * 8_030_261_248, rel=1e-3)


def test_the_cache_of_vllm_is_what_a_published_log_says() -> None:
    """Llama 3.1 8B on one L40S: 158,656 tokens at 0.9 of 44.4 GiB (vllm-project/vllm pull request 17122)."""
    facts = replace(serving().vllm, memory_share=0.9)
    l40s = replace(gpu("L40S"), memory_bytes=int(44.39 * GIB))
    assert vllm.cache_tokens(LLAMA_3_8B, "BF16", vllm.Group(l40s, 1), facts) == pytest.approx(158_656, rel=0.01)


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 256))
def test_sharing_layers_over_more_gpus_pays_all_reduces_for_less_reading(tensor: int, n: int) -> None:
    own = serving().vllm.by_backend["cuda"]
    one = vllm.step_costs(LLAMA_70B, "BF16", vllm.Group(gpu("H200"), 1), own)
    many = vllm.step_costs(LLAMA_70B, "BF16", vllm.Group(gpu("H200"), tensor, link_bytes_per_s=450e9), own)
    assert one is not None
    assert many is not None
    ideal = one.token_s(n, 1000) / tensor
    assert many.token_s(n, 1000) >= ideal * (1 - 1e-9)
    reduces = 2 * LLAMA_70B.n_layers * own.all_reduce_s
    assert tensor == 1 or many.decode_s(n) > reduces


def test_pipelined_nodes_divide_the_sequences_but_not_the_reading() -> None:
    own = serving().vllm.by_backend["cuda"]
    one = vllm.step_costs(LLAMA_70B, "BF16", vllm.Group(gpu("H100"), 8, link_bytes_per_s=450e9), own)
    two = vllm.step_costs(LLAMA_70B, "BF16", vllm.Group(gpu("H100"), 8, 2, 450e9, 50e9, hop_s=0.001), own)
    assert one is not None
    assert two is not None
    assert two.decode_s(2) == pytest.approx(one.decode_s(1) + 0.001)
    assert two.kv_token_s == pytest.approx(one.kv_token_s / 2)
