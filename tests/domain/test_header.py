"""Shapes read off headers, honest and hostile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.blueprint import Tensor
from advisor.domain.ggml import GGML_TYPES
from advisor.domain.header import LLAMA_4_WINDOW, shape_of, weights_of
from advisor.domain.weights import blueprint, weights
from advisor.errors import InputError
from tests.builders import model
from tests.shapes import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_a_blueprint_read_back_is_the_model_it_was_made_of(name: str) -> None:
    shape = KINDS[name]
    made = blueprint(model(name, shape, max_context_tokens=4096), "Q4_K_M")
    found = shape_of(made.metadata, made.tensors)
    expected = shape if shape.architecture == "llama4" else replace(shape, window=None)
    assert found == expected
    held, ours = weights_of(made.tensors), weights(shape, "Q4_K_M")
    assert held.total_bytes == ours.total_bytes
    assert held.layer_bytes() == ours.layer_bytes()
    assert held.layer_bytes(without_experts=True) == ours.layer_bytes(without_experts=True)
    assert (held.output_bytes, held.is_tied) == (ours.output_bytes, ours.is_tied)
    assert dict(held.largest) == dict(ours.largest)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("llama.block_count", 2**30, "exceeds 512"),
        ("llama.block_count", 0, "announces 0 layers"),
        ("llama.block_count", 31, "its tensors make 32"),
        ("llama.block_count", -1, "it says -1"),
        ("llama.attention.head_count", 2**40, "it says"),
        ("llama.attention.head_count_kv", "many", "no single number"),
        ("llama.expert_count", 5000, "exceeds 1024"),
        ("llama.attention.head_count", (8, 4), "no single number"),
    ],
)
def test_impossible_numbers_are_refused(key: str, value: object, why: str) -> None:
    made = blueprint(model("m", KINDS["mistral-7b"]), "Q4_K_M")
    with pytest.raises(InputError, match=why):
        shape_of({**made.metadata, key: value}, made.tensors)


def test_more_experts_in_use_than_there_are_is_refused() -> None:
    made = blueprint(model("m", KINDS["mixtral"]), "Q4_K_M")
    with pytest.raises(InputError, match="expert_used_count"):
        shape_of({**made.metadata, "llama.expert_used_count": 9}, made.tensors)


def test_a_llama_4_with_a_window_of_0_attends_to_everything() -> None:
    """As MobileLLM does, which has that architecture."""
    made = blueprint(model("m", KINDS["llama-4-scout"]), "Q4_K_M")
    assert shape_of(made.metadata, made.tensors).window == LLAMA_4_WINDOW
    assert shape_of({**made.metadata, "llama4.attention.sliding_window": 0}, made.tensors).window is None


def test_a_layer_far_away_makes_no_model() -> None:
    made = blueprint(model("m", KINDS["mistral-7b"]), "Q4_K_M")
    stray = Tensor("blk.99999.attn_norm.weight", (4096,), GGML_TYPES["F32"])
    with pytest.raises(InputError, match="its tensors make 100000"):
        shape_of(made.metadata, (*made.tensors, stray))


def test_another_architecture_is_named() -> None:
    with pytest.raises(InputError, match="'gpt2' is not supported"):
        shape_of({"general.architecture": "gpt2"}, ())
