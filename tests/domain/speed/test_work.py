from __future__ import annotations

import random
from dataclasses import replace

import pytest

from advisor.domain.model import Experts, Shape, Window
from advisor.domain.placement import cpu_placement, with_gpu_layers
from advisor.domain.speed.roofline import Prompt, attention_ops
from advisor.domain.speed.work import (
    PoolWork,
    distinct_experts,
    kv_read_bytes,
    parts_of,
    pool_work,
    visited_bytes,
)
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_32_1B, MISTRAL_7B, model
from tests.domain.speed.placing import best_fit
from tests.shapes import MINISTRAL_8B

MIXTRAL = replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336))


@pytest.mark.parametrize("shape", [LLAMA_3_8B, LLAMA_32_1B, MIXTRAL])
@pytest.mark.parametrize("quantization", ["Q4_K_M", "Q8_0", "IQ3_XS"])
def test_parts_are_the_whole_but_the_embedding(shape: Shape, quantization: str) -> None:
    held = weights(shape, quantization)
    parts = parts_of(held)
    looked_up = 0 if held.is_tied else held.token_embd_bytes
    counted = sum(sum(part.values()) for part in (parts.dense, parts.experts, parts.output))
    assert held.total_bytes - looked_up - counted < 100_000  # norms and rope factors outside the layers
    assert sum(parts.experts.values()) == held.expert_bytes


def test_a_token_visits_its_experts_and_a_batch_nearly_all() -> None:
    assert distinct_experts(8, 2, 1) == 2
    draw = random.Random(1)
    hits = [len({expert for _ in range(4) for expert in draw.sample(range(8), 2)}) for _ in range(4000)]
    assert distinct_experts(8, 2, 4) == pytest.approx(sum(hits) / len(hits), rel=0.02)
    assert distinct_experts(128, 8, 512) == pytest.approx(128, rel=0.001)


def test_one_token_reads_a_quarter_of_eight_experts_with_two_used() -> None:
    held = weights(MIXTRAL, "Q4_K_M")
    parts = parts_of(held)
    (work,) = pool_work(MIXTRAL, cpu_placement(4096), best_fit(model(shape=MIXTRAL), "Q4_K_M").pools, 0)
    read = sum(visited_bytes(parts, work, MIXTRAL, 1).values())
    assert read == pytest.approx(sum(parts.dense.values()) + held.expert_bytes / 4)


def test_layers_and_cache_are_shared_out_and_nothing_is_lost() -> None:
    fit = best_fit(model(shape=LLAMA_3_8B), "Q4_K_M", 24 * GIB, 24 * GIB)
    placement = with_gpu_layers(fit.placement, 20, (1, 3))
    works = pool_work(LLAMA_3_8B, placement, fit.pools, 1000)
    assert [work.n_layers for work in works] == [12, 6, 14]
    assert sum(work.dense for work in works) == pytest.approx(1)
    assert sum(work.kv_bytes for work in works) == pytest.approx(kv_read_bytes(LLAMA_3_8B, placement, 1000))
    assert [work.has_output for work in works] == [False, False, True]


def test_experts_in_ram_are_read_there() -> None:
    fit = best_fit(model(shape=MIXTRAL), "Q4_K_M", 24 * GIB)
    placement = replace(with_gpu_layers(fit.placement, 32, (1,)), experts_in_ram=True)
    ram, card = pool_work(MIXTRAL, placement, fit.pools, 0)
    assert (ram.dense, ram.experts, card.dense, card.experts) == (0, 1, 1, 0)


def test_windowed_layers_look_no_further_than_the_window() -> None:
    shape = replace(LLAMA_3_8B, architecture="llama4", window=Window(1024, "chunked", 4))
    cell = 2 * 2 * 8 * 128
    assert kv_read_bytes(shape, cpu_placement(8192), 4096) == cell * (8 * 4096 + 24 * 1024)
    assert kv_read_bytes(shape, cpu_placement(8192), 512) == cell * 32 * 512


@pytest.mark.parametrize("shape", [replace(MISTRAL_7B, window=Window(4096, "sliding", 0)), MINISTRAL_8B])
def test_a_window_that_llama_cpp_ignores_saves_nothing(shape: Shape) -> None:
    whole, placement = replace(shape, window=None), cpu_placement(131072)
    assert kv_read_bytes(shape, placement, 131072) == kv_read_bytes(whole, placement, 131072)
    work, prompt = PoolWork(best_fit(model(shape=whole), "Q4_K_M").pools[0], 36, 1, 0, True, 0), Prompt(65536)
    assert attention_ops(work, shape, prompt) == attention_ops(work, whole, prompt)
