"""Which ggml type each tensor gets when llama.cpp quantizes a model to a file type.

The rules restate `llama_tensor_get_type_impl`, `tensor_type_fallback` and `llama_ftype_get_default_type` of
llama.cpp's `src/llama-quant.cpp`, as vendored by llama-cpp-python 0.3.36; the engine's quantizer in dry-run mode
is the oracle that the tests hold them against.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from advisor.domain.ggml import GGML_TYPES, GgmlType
from advisor.domain.model import Shape
from advisor.domain.tensors import Role, TensorGroup
from advisor.values import value

DEFAULT_TYPE = {
    **{name: name for name in ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q1_0", "Q2_0")},
    **{name: name for name in ("Q6_K", "TQ1_0", "TQ2_0", "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS")},
    **{name: name for name in ("IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS")},
    **{"Q2_K": "Q2_K", "Q2_K_S": "Q2_K", "Q3_K_S": "Q3_K", "Q3_K_M": "Q3_K", "Q3_K_L": "Q3_K"},
    **{"Q4_K_S": "Q4_K", "Q4_K_M": "Q4_K", "Q5_K_S": "Q5_K", "Q5_K_M": "Q5_K"},
    **{"IQ2_S": "IQ2_XS", "IQ2_M": "IQ2_S", "IQ3_XS": "IQ3_S", "IQ3_M": "IQ3_S", "MXFP4_MOE": "MXFP4"},
}
"""File type to the type that a tensor gets when no rule says otherwise."""

_SMALLEST = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
_FALLBACK = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_0", "Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    **{"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"},
}
_UNQUANTIZED_DEFAULTS = frozenset({"F32", "F16", "BF16"})
_BY_LAYER = {
    Role.ATTN_V: frozenset({"Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M"}),
    Role.FFN_DOWN: _SMALLEST
    | {"Q2_K_S", "Q3_K_M", "Q4_0", "Q5_0", "Q4_K_S", "Q4_K_M", "Q5_K_M", "IQ3_XXS", "IQ3_M", "IQ4_NL", "IQ4_XS"},
    Role.FFN_UP: frozenset({"IQ3_XS"}),
    Role.FFN_GATE: frozenset({"IQ3_XS"}),
}
"""Roles whose type can differ between layers, with the file types that make it so."""
LAYERED_ROLES = frozenset(_BY_LAYER)


@value
class QuantizationTraits:
    """What the rules look at beside the tensor itself."""

    file_type: str
    n_layers: int
    grouped_by_4: bool
    """At least four query heads share a key-value head."""
    n_experts: int
    is_70b: bool
    """llama.cpp's model type 70B: architecture llama, 80 layers, grouped-query attention."""
    tied_embeddings: bool
    imatrix: bool
    """The quantizer had an importance matrix, as most publishers use one."""


class _Slot(NamedTuple):
    """One tensor as the rules see it. Tens of thousands are made."""

    role: Role
    row_length: int
    is_stack: bool
    """Three dimensions: one matrix per expert or head."""
    layer: int
    ordinal: int
    """Position among the tensors of its role, in the order in which the quantizer walks the file."""


_Rule = Callable[[_Slot, QuantizationTraits, str], str]


def quantization_traits(shape: Shape, file_type: str, *, imatrix: bool) -> QuantizationTraits:
    """Reduce a shape to what the rules need. Raises ValueError for an unknown file type."""
    if file_type not in DEFAULT_TYPE:
        raise ValueError(f"unknown file type {file_type!r}")
    n_experts = shape.experts.n_total if shape.experts else 0
    grouped = shape.n_kv_heads > 0 and shape.n_heads > shape.n_kv_heads
    return QuantizationTraits(
        file_type=file_type,
        n_layers=shape.n_layers,
        grouped_by_4=shape.n_kv_heads > 0 and shape.n_heads // shape.n_kv_heads >= 4,
        n_experts=n_experts,
        is_70b=shape.architecture == "llama" and shape.n_layers == 80 and grouped and n_experts != 8,
        tied_embeddings=shape.tied_embeddings,
        imatrix=imatrix,
    )


def group_types(group: TensorGroup, ordinals: tuple[int, ...], traits: QuantizationTraits) -> tuple[GgmlType, ...]:
    """Type of each tensor of a group, in order of its layers; one entry for a tensor outside the layers.

    `ordinals` are the positions of its tensors among those of its role, which count in LAYERED_ROLES alone.
    """
    layers, role, row_length = group.layers or (0,), group.role, group.shape[0]
    default = DEFAULT_TYPE[traits.file_type]
    if role is Role.UNQUANTIZED or default in _UNQUANTIZED_DEFAULTS:
        return (GGML_TYPES["F32" if role is Role.UNQUANTIZED else default],) * len(layers)
    is_stack = len(group.shape) > 2 and group.shape[2] > 1
    if traits.file_type not in _BY_LAYER.get(role, ()):
        chosen = _chosen(_Slot(role, row_length, is_stack, layers[0], 0), traits, default)
        return (GGML_TYPES[_fitting(chosen, row_length)],) * len(layers)
    names = _chosen_by_layer(role, is_stack, layers, ordinals, traits)
    fitting = {name: GGML_TYPES[_fitting(name, row_length)] for name in set(names)}
    return tuple([fitting[name] for name in names])


@cache
def _chosen_by_layer(
    role: Role, is_stack: bool, layers: tuple[int, ...], ordinals: tuple[int, ...], traits: QuantizationTraits
) -> tuple[str, ...]:
    """Of roles in _BY_LAYER, for which the length of a row makes no difference."""
    default, rule = DEFAULT_TYPE[traits.file_type], _rule_of(role, traits)
    slots = [_Slot(role, 0, is_stack, *pair) for pair in zip(layers, ordinals, strict=True)]
    return tuple([rule(slot, traits, default) for slot in slots])


def has_no_fallback(file_type: str, row_length: int) -> bool:
    """Whether the quantizer gives up on such rows, instead of choosing another type for them."""
    name = DEFAULT_TYPE[file_type]
    size = GGML_TYPES[name].block_size
    return size > 32 and row_length % size != 0 and name not in _FALLBACK


def _fitting(name: str, row_length: int) -> str:
    """The type itself, or what the quantizer falls back to where rows are no whole number of blocks."""
    if row_length % GGML_TYPES[name].block_size == 0:
        return name
    smaller = _FALLBACK.get(name, name)
    return smaller if row_length % GGML_TYPES[smaller].block_size == 0 else "F16"


def _chosen(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    if slot.role is Role.OUTPUT or (slot.role is Role.TOKEN_EMBD and traits.tied_embeddings):
        return _output(slot, traits, default)
    if traits.file_type == "MXFP4_MOE":
        return "MXFP4" if slot.is_stack else "Q8_0"
    if slot.role is Role.TOKEN_EMBD:
        return _token_embedding(traits, default)
    return _rule_of(slot.role, traits)(slot, traits, default)


def _rule_of(role: Role, traits: QuantizationTraits) -> _Rule:
    """For a tensor of a layer."""
    return _smallest if traits.file_type in _SMALLEST else _RULES.get(role, _plain)


def _plain(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    return default


def _output(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    if traits.file_type == "MXFP4_MOE" or slot.row_length % GGML_TYPES[default].block_size:
        return "Q8_0"
    if traits.file_type in _SMALLEST or traits.file_type == "IQ3_XXS":
        return "Q5_K"
    return default if default == "Q8_0" else "Q6_K"


def _token_embedding(traits: QuantizationTraits, default: str) -> str:
    if traits.file_type in ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS"):
        return "Q2_K"
    if traits.file_type in ("IQ2_S", "IQ2_M", "IQ3_XXS"):
        return "IQ3_S"
    return "Q4_K" if traits.file_type in ("TQ1_0", "TQ2_0", "Q2_0") else default


def _smallest(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    """The file types below three bits, which have a branch of their own."""
    is_larger = traits.file_type in ("IQ2_S", "IQ2_M")
    better = "IQ3_S" if is_larger else "Q2_K"
    if slot.role is Role.ATTN_V:
        return "Q4_K" if traits.grouped_by_4 or traits.n_experts >= 4 else better
    if slot.role is Role.ATTN_K:
        return "Q4_K" if traits.n_experts == 8 else default
    if slot.role is Role.FFN_DOWN:
        return better if slot.ordinal < traits.n_layers // 8 else default
    if slot.role is Role.ATTN_OUTPUT:
        if traits.n_experts == 8:
            return "Q5_K"
        if is_larger:
            return "IQ3_S"
        return "IQ2_XXS" if traits.file_type in ("IQ1_S", "IQ1_M") else default
    return default


def _use_more_bits(i: int, n: int) -> bool:
    return i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 2


def _attn_v(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    if traits.n_experts == 8:
        return "Q8_0"
    chosen = _attn_v_by_file_type(slot, traits, default)
    return "Q5_K" if traits.is_70b and chosen in ("Q3_K", "Q4_K") else chosen


def _attn_v_by_file_type(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    grouped, i = traits.grouped_by_4, slot.ordinal
    match traits.file_type:
        case "Q2_K":
            return "Q4_K" if grouped else "Q3_K"
        case "IQ3_XXS":
            return "Q4_K" if grouped else "IQ3_XXS" if traits.imatrix else "IQ3_S"
        case "Q2_K_S" | "IQ3_XS" | "IQ3_S" if grouped:
            return "Q4_K"
        case "IQ3_M":
            return "Q4_K"
        case "Q3_K_M":
            return "Q5_K" if i < 2 else "Q4_K"
        case "Q3_K_L":
            return "Q5_K"
        case "IQ4_NL" | "IQ4_XS" if grouped:
            return "Q5_K"
        case "Q4_K_M" | "Q5_K_M" if _use_more_bits(i, traits.n_layers):
            return "Q6_K"
        case "Q4_K_S" if i < 4:
            return "Q5_K"
    return default


def _attn_k(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    return "Q8_0" if traits.n_experts == 8 else _attn_q(slot, traits, default)


def _attn_q(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(traits.file_type, default)


def _attn_output(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    if traits.n_experts == 8:
        low = ("Q2_K", "Q3_K_S", "Q3_K_M", "Q4_K_S", "Q4_K_M", "IQ3_XXS", "IQ3_XS", "IQ3_S", "IQ3_M")
        return "Q5_K" if traits.file_type in (*low, "IQ4_NL", "IQ4_XS") else default
    better = {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
    return better.get(traits.file_type, default)


def _ffn_down(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    n = traits.n_layers
    i = slot.layer if traits.n_experts > 1 else slot.ordinal
    early, more = i < n // 8, _use_more_bits(i, n)
    match traits.file_type:
        case "Q2_K":
            return "Q3_K"
        case "Q2_K_S" if early:
            return "Q4_K"
        case "IQ3_XXS" if not traits.imatrix:
            return "Q4_K" if early else "Q3_K"
        case "Q3_K_M":
            return "Q5_K" if i < n // 16 else "Q4_K"
        case "IQ3_M" if early or (traits.n_experts == 8 and more):
            return "Q4_K"
        case "Q3_K_L":
            return "Q5_K"
        case "Q4_K_M" | "Q5_K_M" if more:
            return "Q6_K"
        case "IQ4_NL" | "IQ4_XS" if early and not traits.imatrix:
            return "Q5_K"
        case "Q4_K_S" if early:
            return "Q5_K"
        case "Q4_0" | "Q5_0" if early and traits.imatrix:
            return {"Q4_0": "Q4_1", "Q5_0": "Q5_1"}[traits.file_type]
    return default


def _ffn_inner(slot: _Slot, traits: QuantizationTraits, default: str) -> str:
    n = traits.n_layers
    i = slot.layer if traits.n_experts > 1 else slot.ordinal
    is_middle = n // 8 <= i < 7 * n // 8
    return "IQ3_XXS" if traits.file_type == "IQ3_XS" and is_middle else default


_RULES: dict[Role, _Rule] = {
    Role.ATTN_V: _attn_v,
    Role.ATTN_K: _attn_k,
    Role.ATTN_Q: _attn_q,
    Role.ATTN_OUTPUT: _attn_output,
    Role.FFN_DOWN: _ffn_down,
    Role.FFN_GATE: _ffn_inner,
    Role.FFN_UP: _ffn_inner,
}
