"""A model's weights under a file type: bytes by place, and the whole tensor table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from math import prod
from typing import TYPE_CHECKING

from advisor.domain.ggml import GgmlType
from advisor.domain.model import Model, Shape
from advisor.domain.tensor_types import LAYERED_ROLES, group_types, has_no_fallback, quantization_traits
from advisor.domain.tensors import Role, TensorGroup, tensor_groups
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.blueprint import Blueprint, MetadataValue

NORM_EPSILON = 1e-5
"""RMS norm epsilon of the Llama and Mistral families; it has no influence on memory or speed."""


Sizes = tuple[tuple[int, int], ...]


@value
class TypedGroup:
    """A tensor group with the type of each of its tensors."""

    group: TensorGroup
    types: tuple[GgmlType, ...]

    @property
    def kinds(self) -> tuple[tuple[GgmlType, int], ...]:
        """The types that occur, by their first tensor, and how many tensors have each."""
        return _kinds(self.types)

    @property
    def bytes_per_tensor(self) -> tuple[int, ...]:
        """Bytes of each tensor, in the order of the group's layers."""
        return _bytes_per_tensor(self.group.shape, self.types)

    @property
    def sizes(self) -> Sizes:
        """Bytes of a tensor of each type that occurs, and how many tensors have it."""
        return _sizes(self.group.shape, self.types)

    @property
    def n_bytes(self) -> int:
        """Bytes of all tensors of the group."""
        return sum([size * count for size, count in self.sizes])


def _kinds(types: tuple[GgmlType, ...]) -> tuple[tuple[GgmlType, int], ...]:
    alike = types.count(types[0])
    if alike == len(types):
        return ((types[0], alike),)
    return tuple([(kind, types.count(kind)) for kind in dict.fromkeys(types)])


@lru_cache(maxsize=16384)
def _sizes(shape: tuple[int, ...], types: tuple[GgmlType, ...]) -> Sizes:
    """Remembered because file types, and models of one size, have most of their groups in common."""
    n = prod(shape)
    return tuple([(kind.n_bytes(n), count) for kind, count in _kinds(types)])


@lru_cache(maxsize=16384)
def _bytes_per_tensor(shape: tuple[int, ...], types: tuple[GgmlType, ...]) -> tuple[int, ...]:
    n = prod(shape)
    sizes = {kind: kind.n_bytes(n) for kind in set(types)}
    return tuple([sizes[kind] for kind in types])


@cache
def _graph_key(suffix: str) -> str:
    return f"w:{suffix.removesuffix('.weight')}"


@dataclass(frozen=True, eq=False)
class Weights:
    """Where the bytes of a quantized model are. Each is itself alone, so that what is found of it can be kept."""

    groups: tuple[TypedGroup, ...]
    is_tied: bool

    @cached_property
    def total_bytes(self) -> int:
        """Sum of all tensors: what llama.cpp reports as model size."""
        return sum([size * count for _, sizes in self._sized for size, count in sizes])

    @cached_property
    def n_elements(self) -> int:
        """Weights in all tensors."""
        return sum([typed.group.n_elements * len(typed.types) for typed in self.groups])

    @property
    def token_embd_bytes(self) -> int:
        return self._outside_layers.get("token_embd.weight", 0)

    @property
    def output_bytes(self) -> int:
        """Output projection and final norm, as they lie on the device that computes the logits; with tied
        embeddings this is a second copy, except where everything lies on one device."""
        outside = self._outside_layers
        return outside.get("output.weight", self.token_embd_bytes) + outside.get("output_norm.weight", 0)

    @cached_property
    def expert_bytes(self) -> int:
        """Routed experts of all layers, part of the total."""
        return sum([typed.n_bytes for typed in self.groups if typed.group.is_expert])

    @cached_property
    def largest(self) -> tuple[tuple[str, int], ...]:
        """Bytes of the largest tensor of each name, under the keys of a compute graph."""
        found = {
            _graph_key(typed.group.suffix): sizes[0][0] if len(sizes) == 1 else max(sizes)[0]
            for typed, sizes in self._sized
        }
        found.setdefault("w:output", self.token_embd_bytes)
        return tuple(found.items())

    def layer_bytes(self, *, without_experts: bool = False) -> tuple[int, ...]:
        """Bytes of each layer, with or without its routed experts."""
        return self._without_experts if without_experts else self._with_experts

    @cached_property
    def _sized(self) -> tuple[tuple[TypedGroup, Sizes], ...]:
        return tuple([(typed, _sizes(typed.group.shape, typed.types)) for typed in self.groups])

    @cached_property
    def _outside_layers(self) -> dict[str, int]:
        """Bytes by name."""
        return {typed.group.suffix: sizes[0][0] for typed, sizes in self._sized if not typed.group.layers}

    @cached_property
    def _without_experts(self) -> tuple[int, ...]:
        return _layer_totals([pair for pair in self._sized if not pair[0].group.is_expert])

    @cached_property
    def _with_experts(self) -> tuple[int, ...]:
        return _layer_totals(self._sized)


def _layer_totals(sized: Sequence[tuple[TypedGroup, Sizes]]) -> tuple[int, ...]:
    """Bytes of each layer up to the last that has one of the groups."""
    n_layers = 1 + max([typed.group.layers[-1] for typed, _ in sized if typed.group.layers], default=-1)
    everywhere = 0
    differing: list[TypedGroup] = []
    for typed, sizes in sized:
        if len(typed.group.layers) == n_layers and len(sizes) == 1:
            everywhere += sizes[0][0]
        elif typed.group.layers:
            differing.append(typed)
    totals = [everywhere] * n_layers
    for typed in differing:
        for layer, size in zip(typed.group.layers, typed.bytes_per_tensor, strict=False):
            totals[layer] += size
    return tuple(totals)


@cache
def weights(shape: Shape, file_type: str, *, imatrix: bool = True) -> Weights:
    """Weights of a shape under a file type. Raises ValueError for an unknown architecture or file type."""
    traits = quantization_traits(shape, file_type, imatrix=imatrix)
    groups = tensor_groups(shape)
    ordinals = _ordinals(shape)
    typed = tuple(TypedGroup(g, group_types(g, ordinals.get(g.suffix, ()), traits)) for g in groups)
    return Weights(typed, shape.tied_embeddings)


def refusal(shape: Shape, file_type: str) -> str | None:
    """Why llama.cpp's quantizer cannot make a file of that type, or None where it can."""
    for group in tensor_groups(shape):
        if group.role is not Role.UNQUANTIZED and has_no_fallback(file_type, group.shape[0]):
            return f"llama.cpp cannot quantize rows of {group.shape[0]} ({group.suffix}) to {file_type}"
    return None


@cache
def _ordinals(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Position of each tensor among those of its role, in the quantizer's order: by layer, then by name. Of the roles
    whose type depends on it."""
    places: dict[Role, list[tuple[int, str]]] = {}
    for group in tensor_groups(shape):
        if group.role in LAYERED_ROLES:
            places.setdefault(group.role, []).extend([(layer, group.suffix) for layer in group.layers])
    positions: dict[str, list[int]] = {}
    for found in places.values():
        for i, (_, suffix) in enumerate(sorted(found)):
            positions.setdefault(suffix, []).append(i)
    return {suffix: tuple(found) for suffix, found in positions.items()}


def blueprint(model: Model, file_type: str, *, imatrix: bool = True) -> Blueprint:
    """The file that a quantization of the model would be, without weights and vocabulary.

    Raises ValueError where the model has no shape or its architecture no rules.
    """
    # Sizing and judging do without.
    from advisor.domain.blueprint import Blueprint, Tensor

    if model.shape is None:
        raise ValueError(model.shape_reason or f"the shape of {model.id} is unknown")
    typed = weights(model.shape, file_type, imatrix=imatrix).groups
    tensors = tuple(
        Tensor(name, t.group.shape, ggml_type)
        for t in typed
        for name, ggml_type in zip(t.group.names(), t.types, strict=True)
    )
    return Blueprint(metadata(model.shape, model.max_context_tokens, model.rope_theta), tensors)


def metadata(shape: Shape, max_context_tokens: int | None, rope_theta: float | None) -> dict[str, MetadataValue]:
    """Hyperparameters under llama.cpp's keys (gguf-py/gguf/constants.py), with an empty vocabulary."""
    arch = shape.architecture
    own: dict[str, MetadataValue] = {
        "block_count": shape.n_layers,
        "context_length": max_context_tokens or 4096,
        "embedding_length": shape.hidden_size,
        "feed_forward_length": shape.ffn_size,
        "attention.head_count": shape.n_heads,
        "attention.layer_norm_rms_epsilon": NORM_EPSILON,
        "vocab_size": shape.vocab_size,
        **_attention(shape, rope_theta),
        **_experts(shape),
        **_state_space(shape),
    }
    return {
        "general.architecture": arch,
        **{f"{arch}.{key}": value for key, value in own.items()},
        "tokenizer.ggml.model": "no_vocab",
    }


def _attention(shape: Shape, rope_theta: float | None) -> dict[str, MetadataValue]:
    if shape.state_space is not None:
        return {"attention.head_count": 0}
    latent = shape.latent
    if latent is None:
        return {
            "attention.head_count_kv": shape.n_kv_heads,
            "attention.key_length": shape.head_dim,
            "attention.value_length": shape.head_dim,
            "rope.dimension_count": shape.head_dim,
            "rope.freq_base": rope_theta or 10000.0,
        }
    return {
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": latent.q_rank,
        "attention.kv_lora_rank": latent.kv_rank,
        "attention.key_length": latent.kv_rank + latent.rope_head_dim,
        "attention.value_length": latent.kv_rank,
        "attention.key_length_mla": latent.nope_head_dim + latent.rope_head_dim,
        "attention.value_length_mla": latent.value_head_dim,
        "rope.dimension_count": latent.rope_head_dim,
        "rope.freq_base": rope_theta or 10000.0,
    }


def _experts(shape: Shape) -> dict[str, MetadataValue]:
    experts = shape.experts
    if experts is None:
        return {}
    found: dict[str, MetadataValue] = {
        "expert_count": experts.n_total,
        "expert_used_count": experts.n_used,
        "expert_feed_forward_length": experts.ffn_size,
    }
    if shape.architecture == "llama4":
        found["interleave_moe_layer_step"] = experts.layer_step
    if shape.latent is not None:
        found["expert_shared_count"] = experts.n_shared
        found["leading_dense_block_count"] = experts.n_leading_dense
    return found


def _state_space(shape: Shape) -> dict[str, MetadataValue]:
    space = shape.state_space
    if space is None:
        return {}
    return {
        "ssm.conv_kernel": space.conv_kernel,
        "ssm.inner_size": space.inner_size,
        "ssm.state_size": space.state_size,
        "ssm.time_step_rank": space.n_heads,
        "ssm.group_count": space.n_groups,
    }
