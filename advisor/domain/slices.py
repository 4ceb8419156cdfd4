"""Slices: the same model with fewer layers, so that one layer can be timed without the whole."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.model import Model, Shape, StateSpace
from advisor.domain.tensors import tensor_groups
from advisor.domain.weights import Weights, metadata, weights

SUPER_BLOCK = 256
"""Weights of a super-block of the K and I types (`QK_K` of ggml-common.h), of which rows have whole ones."""


def layer_step(shape: Shape) -> int:
    """Layers that repeat as a group: a slice has whole groups of them."""
    step = shape.experts.layer_step if shape.experts else 1
    every = shape.window.full_every if shape.window else 0
    return max(step, every, 1)


def layer_units(shape: Shape, file_type: str, n_layers: int) -> float:
    """What the layers of a slice weigh, in average layers of the whole, by the bytes that one token reads."""
    read = _read_bytes(shape, weights(shape, file_type))
    kept = _chosen_layers(shape, weights(shape, file_type).layer_bytes(), n_layers)
    return sum(read[layer] for layer in kept) / (sum(read) / shape.n_layers)


def _read_bytes(shape: Shape, held: Weights) -> tuple[float, ...]:
    dense = held.layer_bytes(without_experts=True)
    share = shape.experts.n_used / shape.experts.n_total if shape.experts else 0.0
    return tuple([d + share * (whole - d) for d, whole in zip(dense, held.layer_bytes(), strict=True)])


def slice_blueprint(
    model: Model, file_type: str, n_layers: int, vocab_size: int | None = None, *, is_narrow: bool = False
) -> Blueprint:
    """The model with `n_layers` of its layers, chosen so that light and heavy layers keep their share, and with a
    part of its vocabulary where one is given. A narrow one has layers of the least width instead of the model's.

    Raises ValueError for a model without a shape and for a number of layers that it cannot have.
    """
    shape = model.shape
    if shape is None:
        raise ValueError(model.shape_reason or f"the shape of {model.id} is unknown")
    if not 0 < n_layers <= shape.n_layers or n_layers % layer_step(shape):
        raise ValueError(f"{model.id} has no slice of {n_layers} layers")
    held = weights(shape, file_type)
    kept = _chosen_layers(shape, held.layer_bytes(), n_layers)
    sliced = _sliced(shape, n_layers, vocab_size or shape.vocab_size)
    if is_narrow:
        sliced = _narrowed(sliced)
    types = {(t.group.suffix, layer): g for t in held.groups for layer, g in zip(t.group.layers, t.types, strict=False)}
    single = {t.group.suffix: t.types[0] for t in held.groups if not t.group.layers}
    tensors = []
    for group in tensor_groups(sliced):
        if not group.layers:
            tensors.append(Tensor(group.suffix, group.shape, single[group.suffix]))
        for name, layer in zip(group.names(), group.layers, strict=False):
            tensors.append(Tensor(name, group.shape, types[group.suffix, kept[layer]]))
    return Blueprint(metadata(sliced, model.max_context_tokens, model.rope_theta), tuple(tensors))


def _sliced(shape: Shape, n_layers: int, vocab_size: int) -> Shape:
    experts = shape.experts
    if experts is not None and n_layers < shape.n_layers:
        # Leading dense layers are few and unlike the others, so that a slice of them would time the wrong thing.
        experts = replace(experts, n_leading_dense=0)
    return replace(shape, n_layers=n_layers, experts=experts, vocab_size=vocab_size)


def _narrowed(shape: Shape) -> Shape:
    """The same graph over matrices of the least size: rows of one super-block, as few heads as fill one."""
    experts, latent, space = shape.experts, shape.latent, shape.state_space
    width = latent.value_head_dim if latent else shape.head_dim
    per_kv = max(1, shape.n_heads // max(1, shape.n_kv_heads))
    n_kv_heads = _least_count(per_kv * width)
    return replace(
        shape,
        hidden_size=SUPER_BLOCK,
        n_heads=per_kv * n_kv_heads,
        n_kv_heads=n_kv_heads,
        ffn_size=SUPER_BLOCK,
        experts=None if experts is None else replace(experts, ffn_size=SUPER_BLOCK),
        latent=None if latent is None else replace(latent, q_rank=min(latent.q_rank, SUPER_BLOCK)),
        state_space=None if space is None else _narrow_space(space),
    )


def _narrow_space(space: StateSpace) -> StateSpace:
    per_head = space.inner_size // space.n_heads
    n_heads = space.n_groups * _least_count(space.n_groups * per_head)
    return replace(space, n_heads=n_heads, inner_size=n_heads * per_head)


def _least_count(width: int) -> int:
    """How many of that width make whole super-blocks."""
    return SUPER_BLOCK // gcd(width, SUPER_BLOCK) if width else 1


def _chosen_layers(shape: Shape, layer_bytes: tuple[int, ...], n_layers: int) -> list[int]:
    """Original layers for the slice, in order: groups at even quantiles of their size."""
    if n_layers == shape.n_layers:
        return list(range(n_layers))
    step = layer_step(shape)
    lead = shape.experts.n_leading_dense if shape.experts else 0
    starts = list(range(lead, shape.n_layers - step + 1, step))
    starts.sort(key=lambda start: (sum(layer_bytes[start : start + step]), start))
    wanted = n_layers // step
    picks = sorted(starts[int((i + 0.5) * len(starts) / wanted)] for i in range(wanted))
    return [start + i for start in picks for i in range(step)]
