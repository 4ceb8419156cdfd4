"""Placements in the words of llama.cpp."""

from __future__ import annotations

from bisect import bisect_right
from ctypes import c_float
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.placement import tensor_split


def dealt(n_layers: int, n_gpu_layers: int, split: tuple[int, ...]) -> list[int]:
    """Layers on each GPU by the rule of `load_tensors` in src/llama-model.cpp, in single precision as there."""
    parts = [c_float(part / sum(split)).value for part in accumulate(split)]
    first = max(n_layers + 1 - n_gpu_layers, 0)
    acting = min(n_gpu_layers, n_layers + 1)
    found = [0] * len(split)
    for layer in range(first, n_layers):
        found[bisect_right(parts, c_float((layer - first) / acting).value)] += 1
    return found


@given(gpu_layers=st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any), in_ram=st.integers(0, 40))
def test_llama_cpp_deals_the_layers_out_as_they_were_placed(gpu_layers: list[int], in_ram: int) -> None:
    n_gpu_layers = sum(gpu_layers) + 1
    split = tensor_split(gpu_layers, n_gpu_layers)
    assert dealt(in_ram + sum(gpu_layers), n_gpu_layers, split) == gpu_layers
