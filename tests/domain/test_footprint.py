from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.footprint import footprint, kv_cell_bytes, kv_layer_bytes, output_buffer_bytes
from advisor.domain.model import Experts, LatentAttention, Shape, Window
from advisor.domain.placement import Placement, cpu_placement, with_gpu_layers
from advisor.domain.weights import weights
from advisor.units import GIB, MIB
from tests.builders import LLAMA_32_1B, LLAMA_70B, MISTRAL_7B


def on_gpus(layers: int, *budgets: int, context: int = 8192) -> Placement:
    return with_gpu_layers(cpu_placement(context, n_gpus=len(budgets)), layers, budgets)


def test_mistral_7b_needs_what_llama_cpp_logged_for_it() -> None:
    """4169.52 MiB of weights, 1024 MiB of cache at 8192 tokens: figures of a real load."""
    found = footprint(MISTRAL_7B, weights(MISTRAL_7B, "Q4_K_M"), cpu_placement(8192), ())
    assert found.weights_bytes / MIB == pytest.approx(4169.52, abs=0.005)
    assert found.kv_cache_bytes == 1024 * MIB
    assert found.compute_bytes / MIB == pytest.approx(124.01, rel=0.01)


def test_a_quantized_cache_counts_its_scales() -> None:
    assert kv_cell_bytes(MISTRAL_7B, "q8_0") / kv_cell_bytes(MISTRAL_7B, "f16") == 1.0625 / 2
    assert kv_cell_bytes(MISTRAL_7B, "q4_0") / kv_cell_bytes(MISTRAL_7B, "f16") == 0.5625 / 2


def test_a_window_in_every_layer_saves_nothing_in_llama_cpp() -> None:
    windowed = replace(MISTRAL_7B, window=Window(4096, "sliding", 0))
    place = cpu_placement(32768)
    assert kv_layer_bytes(windowed, place) == kv_layer_bytes(MISTRAL_7B, place)


def test_chunked_layers_hold_their_chunk_and_one_micro_batch() -> None:
    scout = Shape("llama4", 48, 5120, 40, 8, 128, 8192, 202048, False, False,
                  Experts(16, 1, 1, 8192), Window(8192, "chunked", 4))  # fmt: skip
    layers = kv_layer_bytes(scout, cpu_placement(131072))
    cell = kv_cell_bytes(scout, "f16")
    assert layers[3] == 131072 * cell
    assert layers[0] == (8192 + 512) * cell
    assert sum(b == layers[3] for b in layers) == 12


def test_latent_attention_stores_one_compressed_vector() -> None:
    small4 = Shape("mistral4", 36, 4096, 32, 32, 128, 12288, 131072, False, False,
                   Experts(128, 4, 1, 2048), None, LatentAttention(256, 1024, 64, 64, 128))  # fmt: skip
    assert kv_cell_bytes(small4, "f16") == 2 * 320


def test_slots_multiply_the_output_rows() -> None:
    place = replace(cpu_placement(8192), parallel=4)
    assert output_buffer_bytes(MISTRAL_7B, place) == 4 * 4 * 32768


def test_full_offload_leaves_only_embedding_and_buffers_in_ram() -> None:
    held = weights(MISTRAL_7B, "Q4_K_M")
    found = footprint(MISTRAL_7B, held, on_gpus(32, 24 * GIB), ("GPU0",))
    ram, card = found.devices
    assert ram.weights_bytes == held.token_embd_bytes
    assert ram.kv_cache_bytes == 0
    assert ram.weights_bytes + card.weights_bytes == held.total_bytes


def test_tied_embeddings_lie_on_both_sides() -> None:
    held = weights(LLAMA_32_1B, "Q4_K_M")
    found = footprint(LLAMA_32_1B, held, on_gpus(16, 24 * GIB), ("GPU0",))
    assert found.weights_bytes == held.total_bytes + held.token_embd_bytes
    assert found.model_bytes == held.total_bytes


@given(st.integers(0, 80), st.lists(st.integers(1, 80), min_size=1, max_size=4))
def test_every_byte_of_weights_and_cache_is_somewhere(layers: int, budgets: list[int]) -> None:
    held = weights(LLAMA_70B, "Q4_K_M")
    place = on_gpus(layers, *budgets) if layers else cpu_placement(8192, n_gpus=len(budgets))
    found = footprint(LLAMA_70B, held, place, tuple(f"GPU{i}" for i in range(len(budgets))))
    assert sum(place.gpu_layers) == layers
    assert found.weights_bytes == held.total_bytes
    assert found.kv_cache_bytes == 80 * 8192 * kv_cell_bytes(LLAMA_70B, "f16")
