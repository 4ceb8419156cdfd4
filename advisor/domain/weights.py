"""A model's weights under a file type: bytes by place, and the whole tensor table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

from advisor.domain.blueprint import Blueprint, MetadataValue, Tensor
from advisor.domain.ggml import GgmlType
from advisor.domain.mixture import group_types, has_no_fallback, mixture_traits
from advisor.domain.model import Model, Shape
from advisor.domain.tensors import Role, TensorGroup, tensor_groups

NORM_EPSILON = 1e-5
"""RMS norm epsilon of the Llama and Mistral families; it has no influence on memory or speed."""


@dataclass(frozen=True, slots=True)
class TypedGroup:
    """A tensor group with the type of each of its tensors."""

    group: TensorGroup
    types: tuple[GgmlType, ...]

    @property
    def bytes_per_tensor(self) -> tuple[int, ...]:
        """Bytes of each tensor, in the order of the group's layers."""
        n, types = self.group.n_elements, self.types
        if types.count(types[0]) == len(types):
            return (types[0].n_bytes(n),) * len(types)
        return tuple([t.n_bytes(n) for t in types])

    @property
    def n_bytes(self) -> int:
        """Bytes of all tensors of the group."""
        n, first = self.group.n_elements, self.types[0]
        alike = self.types.count(first)
        if alike == len(self.types):
            return first.n_bytes(n) * alike
        return sum(t.n_bytes(n) for t in self.types)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Where the bytes of a quantized model are. Each is itself alone, so that what is found of it can be kept."""

    groups: tuple[TypedGroup, ...]
    total_bytes: int
    """Sum of all tensors: what llama.cpp reports as model size."""
    n_elements: int
    """Weights in all tensors."""
    token_embd_bytes: int
    output_bytes: int
    """Output projection and final norm, as they lie on the device that computes the logits; with tied
    embeddings this is a second copy, except where everything lies on one device."""
    expert_bytes: int
    """Routed experts of all layers, part of the total."""
    is_tied: bool
    per_layer: tuple[int, ...]
    per_layer_without_experts: tuple[int, ...]
    largest: tuple[tuple[str, int], ...]
    """Bytes of the largest tensor of each name, under the keys of a compute graph."""

    def layer_bytes(self, *, without_experts: bool = False) -> tuple[int, ...]:
        """Bytes of each layer, with or without its routed experts."""
        return self.per_layer_without_experts if without_experts else self.per_layer


def weights_from(groups: tuple[TypedGroup, ...], *, is_tied: bool) -> Weights:
    """Add up typed tensors by place."""
    sized = [(typed.group, typed.bytes_per_tensor) for typed in groups]
    single = {group.suffix: sizes[0] for group, sizes in sized if not group.layers}
    embedding = single.get("token_embd.weight", 0)
    largest = {f"w:{group.suffix.removesuffix('.weight')}": max(sizes) for group, sizes in sized}
    largest.setdefault("w:output", embedding)
    others = _layer_totals([pair for pair in sized if not pair[0].is_expert])
    experts = _layer_totals([pair for pair in sized if pair[0].is_expert])
    return Weights(
        groups=groups,
        total_bytes=sum(single.values()) + sum(others) + sum(experts),
        n_elements=sum([t.group.n_elements * len(t.types) for t in groups]),
        token_embd_bytes=embedding,
        output_bytes=single.get("output.weight", embedding) + single.get("output_norm.weight", 0),
        expert_bytes=sum(experts),
        is_tied=is_tied,
        per_layer=tuple([n + m for n, m in zip_longest(others, experts, fillvalue=0)]),
        per_layer_without_experts=tuple(others),
        largest=tuple(largest.items()),
    )


def _layer_totals(sized: list[tuple[TensorGroup, tuple[int, ...]]]) -> list[int]:
    totals = [0] * (1 + max([group.layers[-1] for group, _ in sized if group.layers], default=-1))
    everywhere = 0
    for group, sizes in sized:
        if len(group.layers) == len(totals) and sizes.count(sizes[0]) == len(sizes):
            everywhere += sizes[0]
            continue
        for layer, size in zip(group.layers, sizes, strict=False):
            totals[layer] += size
    return [total + everywhere for total in totals]


@cache
def weights(shape: Shape, file_type: str, *, imatrix: bool = True) -> Weights:
    """Weights of a shape under a file type. Raises ValueError for an unknown architecture or file type."""
    traits = mixture_traits(shape, file_type, imatrix=imatrix)
    groups = tensor_groups(shape)
    ordinals = _ordinals(shape)
    typed = tuple(TypedGroup(g, group_types(g, ordinals[g.suffix], traits)) for g in groups)
    return weights_from(typed, is_tied=shape.tied_embeddings)


def refusal(shape: Shape, file_type: str) -> str | None:
    """Why llama.cpp's quantizer cannot make a file of that type, or None where it can."""
    for group in tensor_groups(shape):
        if group.role is not Role.UNQUANTIZED and has_no_fallback(file_type, group.shape[0]):
            return f"llama.cpp cannot quantize rows of {group.shape[0]} ({group.suffix}) to {file_type}"
    return None


@cache
def _ordinals(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Position of each tensor among those of its role, in the quantizer's order: by layer, then by name."""
    positions: dict[str, list[int]] = {}
    seen: dict[Role, int] = {}
    places = sorted((layer, g.suffix, g.role) for g in tensor_groups(shape) for layer in g.layers or (-1,))
    for _, suffix, role in places:
        positions.setdefault(suffix, []).append(seen.get(role, 0))
        seen[role] = seen.get(role, 0) + 1
    return {suffix: tuple(found) for suffix, found in positions.items()}


def blueprint(model: Model, file_type: str, *, imatrix: bool = True) -> Blueprint:
    """The file that a quantization of the model would be, without weights and vocabulary.

    Raises ValueError where the model has no shape or its architecture no rules.
    """
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
