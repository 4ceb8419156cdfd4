"""The second copy of weights that llama.cpp makes for the processor.

It rearranges some matrices for the instruction sets of the processor, into memory of its own. Where the file is
mapped, its pages of those matrices are no longer used and can be evicted, but count as resident until then; where
the file is read instead, there is only the rearranged copy. Either way no more memory is needed than the weights.

Source: `ggml_repack_get_optimal_repack_type` and `supports_op` in ggml/src/ggml-cpu/repack.cpp, as vendored by
llama-cpp-python 0.3.36. Only a processor without GPU beside it repacks: with one, weights lie in pinned memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from advisor.domain.ggml import GgmlType
from advisor.domain.tensors import TensorGroup
from advisor.domain.weights import Weights

_ON_X86 = {"Q4_0": "avx2", "Q4_K": "avx2", "IQ4_NL": "avx2", "MXFP4": "avx2", "Q2_K": "avx512"}
"""Instruction set that each type needs; rows in groups of 8."""
_ON_ARM = {"Q4_0": 4, "Q8_0": 4, "IQ4_NL": 4, "MXFP4": 4, "Q1_0": 4, "Q4_K": 8, "Q5_K": 8, "Q6_K": 8}
"""Rows in a group, with dot products (`dotprod`); types that need wider products are taken alike."""
_LOOKED_UP = frozenset({"token_embd.weight"})
"""Tables of which single rows are read."""
_STACKED_MATRICES = ("attn_k_b.", "attn_v_b.")
"""Matrices in three dimensions that are no experts, which are never rearranged."""


def repacked_bytes(weights: Weights, instruction_sets: Iterable[str]) -> int:
    """Bytes of the rearranged copy on a processor with these instruction sets, in lower case."""
    sets = frozenset(instruction_sets)
    total = 0
    for typed in weights.groups:
        if typed.group.suffix in _LOOKED_UP or not _is_multiplied(typed.group):
            continue
        pairs = zip(typed.types, typed.bytes_per_tensor, strict=True)
        total += sum([n for kind, n in pairs if _is_repacked(kind, typed.group.shape[1], sets)])
    return total


def instruction_sets_of(system_info: str) -> tuple[str, ...]:
    """What llama.cpp was compiled with, out of the line that it prints about itself (`AVX2 = 1`)."""
    found = re.findall(r"\b([A-Z0-9_]+) = 1\b", system_info)
    names = {"DOTPROD": "dotprod", "MATMUL_INT8": "i8mm", "NEON": "neon"}
    return tuple(sorted({names.get(name, name.lower()) for name in found}))


def _is_multiplied(group: TensorGroup) -> bool:
    if len(group.shape) == 2:
        return not group.suffix.startswith("ssm_conv1d") and group.shape[0] > 1
    return len(group.shape) == 3 and not group.suffix.startswith(_STACKED_MATRICES)


def _is_repacked(kind: GgmlType, n_rows: int, sets: frozenset[str]) -> bool:
    needed = _ON_X86.get(kind.name)
    if needed is not None and needed in sets:
        return n_rows % 8 == 0
    rows = _ON_ARM.get(kind.name)
    return rows is not None and "dotprod" in sets and n_rows % rows == 0
