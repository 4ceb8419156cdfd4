"""Memory of fine-tuning: known counts, what must grow with what, and published peaks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.fine_tuning import (
    ATTENTION,
    Recipe,
    adapter_parameters,
    full_fine_tuning_bytes,
    lean,
    nf4_bits,
    peft,
    training_memory,
    unsupported,
)
from advisor.domain.model import Experts, LatentAttention, Shape, StateSpace
from advisor.domain.tensors import parameter_count
from tests.builders import LLAMA_3_8B, LLAMA_32_1B, MISTRAL_7B

LLAMA_2_7B = Shape("llama", 32, 4096, 32, 32, 128, 11008, 32000, tied_embeddings=False)


def test_double_quantization_costs_the_paper_s_0_127_bits() -> None:
    assert nf4_bits(double_quantization=True) == pytest.approx(4.127, abs=5e-4)
    assert nf4_bits(double_quantization=False) == 4.5


@pytest.mark.parametrize(
    ("shape", "rank", "projections", "published"),
    [
        (LLAMA_2_7B, 8, ("attn_q", "attn_v"), 4_194_304),  # litgpt, tutorials/resource-tables.md
        (MISTRAL_7B, 16, ATTENTION, 13_631_488),  # trainable_params of the measured runs
        (LLAMA_32_1B, 16, ATTENTION, 3_407_872),
    ],
)
def test_adapters_have_the_published_number_of_parameters(
    shape: Shape, rank: int, projections: tuple[str, ...], published: int
) -> None:
    assert adapter_parameters(shape, Recipe("lora", rank=rank, projections=projections)) == published


def test_lora_holds_every_parameter_in_two_bytes() -> None:
    assert training_memory(MISTRAL_7B, peft("lora", 1)).weights_bytes == 2 * parameter_count(MISTRAL_7B)


def test_qlora_keeps_embedding_and_head_unquantized() -> None:
    outside = 2 * LLAMA_3_8B.vocab_size * LLAMA_3_8B.hidden_size
    held = training_memory(LLAMA_3_8B, lean("qlora", 1)).weights_bytes
    inside = parameter_count(LLAMA_3_8B) - outside
    assert held == pytest.approx(2 * outside + inside * nf4_bits(double_quantization=True) / 8, rel=1e-3)


def test_the_logits_of_a_large_vocabulary_outweigh_those_of_a_small_one_in_proportion() -> None:
    large, small = (training_memory(shape, peft("qlora", 2048)).logits_bytes for shape in (LLAMA_3_8B, MISTRAL_7B))
    assert large / small == LLAMA_3_8B.vocab_size / MISTRAL_7B.vocab_size
    assert large == 2048 * 128256 * 16


def test_of_logits_and_the_recomputed_layer_only_the_larger_counts() -> None:
    memory = training_memory(LLAMA_3_8B, peft("qlora", 2048))
    parts = memory.weights_bytes + memory.adapter_bytes + memory.checkpoint_bytes + memory.copy_bytes
    assert memory.allocated_bytes == parts + max(memory.logits_bytes, memory.layer_bytes)


def test_without_checkpointing_every_layer_keeps_what_one_would() -> None:
    kept = training_memory(MISTRAL_7B, replace(lean("lora", 512), checkpointing=False))
    assert kept.checkpoint_bytes > 10 * training_memory(MISTRAL_7B, lean("lora", 512)).checkpoint_bytes


@given(st.integers(1, 8192), st.integers(1, 8), st.sampled_from(["lora", "qlora"]))
def test_more_tokens_never_take_less(tokens: int, batch: int, method: str) -> None:
    recipe = Recipe("qlora" if method == "qlora" else "lora", sequence_tokens=tokens, micro_batch=batch)
    more = replace(recipe, sequence_tokens=tokens + 1)
    assert training_memory(MISTRAL_7B, recipe).process_bytes < training_memory(MISTRAL_7B, more).process_bytes


@given(st.integers(1, 256))
def test_adapters_grow_with_the_rank(rank: int) -> None:
    one, two = (adapter_parameters(MISTRAL_7B, Recipe("lora", rank=r)) for r in (rank, 2 * rank))
    assert two == 2 * one


def test_experts_are_all_paid_for_and_only_the_visited_ones_are_recomputed() -> None:
    mixtral = replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336))
    dense, several = (training_memory(shape, peft("lora", 512)) for shape in (MISTRAL_7B, mixtral))
    assert several.weights_bytes == 2 * parameter_count(mixtral)
    assert several.layer_bytes < 3 * dense.layer_bytes


def test_the_process_takes_more_than_pytorch_allocates_and_lies_within_its_bounds() -> None:
    memory = training_memory(MISTRAL_7B, lean("qlora", 2048))
    low, high = memory.bounds_bytes
    assert memory.allocated_bytes < memory.process_bytes
    assert low < memory.process_bytes < high


def test_what_nobody_measured_is_unknown_with_a_reason() -> None:
    latent = replace(MISTRAL_7B, latent=LatentAttention(512, 1536, 128, 64, 128))
    recurrent = replace(MISTRAL_7B, state_space=StateSpace(4, 8192, 128, 128, 8))
    assert "shape" in (unsupported(None) or "")
    assert "latent" in (unsupported(latent) or "")
    assert "state-space" in (unsupported(recurrent) or "")
    with pytest.raises(ValueError, match="latent"):
        training_memory(latent, peft("lora", 1))


def test_full_fine_tuning_takes_the_sixteen_bytes_of_mixed_precision() -> None:
    assert full_fine_tuning_bytes(7_500_000_000) == 120_000_000_000
