from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.kv_cache import honoured_window, kv_layer_bytes, micro_batch, slot_cells, window_cells
from advisor.domain.placement import cpu_placement
from tests.builders import MISTRAL_7B
from tests.shapes import CODESTRAL_MAMBA, MINISTRAL_8B, SCOUT, SMALL_4


@pytest.mark.parametrize(("context", "slots", "cells"), [(1000, 1, 1024), (1000, 3, 512), (768, 3, 256), (1, 1, 256)])
def test_the_context_is_padded_before_and_after_it_is_shared(context: int, slots: int, cells: int) -> None:
    assert slot_cells(cpu_placement(context, parallel=slots)) == cells


def test_a_window_holds_a_micro_batch_more_and_never_more_than_the_context() -> None:
    assert window_cells(8192, cpu_placement(131072)) == 8704
    assert window_cells(8192, replace(cpu_placement(131072), ubatch=100)) == 8448
    assert window_cells(8192, cpu_placement(2048)) == 2048


def test_a_micro_batch_is_no_longer_than_the_context() -> None:
    assert micro_batch(cpu_placement(100)) == 100


def test_llama_cpp_saves_no_memory_with_the_window_of_ministral_8b() -> None:
    """Its `llama` architecture reads no window, in every layer or in some."""
    assert honoured_window(MINISTRAL_8B) is None
    place = cpu_placement(131072)
    assert set(kv_layer_bytes(MINISTRAL_8B, place)) == {131072 * 2 * 2 * 8 * 128}
    assert honoured_window(SCOUT) is not None


def test_keys_and_values_can_have_types_of_their_own() -> None:
    mixed = replace(cpu_placement(4096), kv_type="q8_0", value_type="f16")
    assert kv_layer_bytes(MISTRAL_7B, mixed)[0] == 4096 * 1024 * 2 + 4096 * 1024 * 34 // 32


def test_latent_attention_keeps_one_vector_and_a_state_does_not_grow() -> None:
    assert kv_layer_bytes(SMALL_4, cpu_placement(4096))[0] == 4096 * (256 + 64) * 2
    short, long = (kv_layer_bytes(CODESTRAL_MAMBA, cpu_placement(n)) for n in (256, 131072))
    assert short == long
    assert kv_layer_bytes(CODESTRAL_MAMBA, cpu_placement(4096, parallel=4))[0] == 4 * short[0]
