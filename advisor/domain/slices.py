"""Slices: the same model with fewer layers, so that one layer can be timed without the whole."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.model import Model, Shape
from advisor.domain.tensors import tensor_groups
from advisor.domain.weights import metadata, weights


def layer_step(shape: Shape) -> int:
    """Layers that repeat as a group: a slice has whole groups of them."""
    step = shape.experts.layer_step if shape.experts else 1
    every = shape.window.full_every if shape.window else 0
    return max(step, every, 1)


def slice_blueprint(model: Model, file_type: str, n_layers: int, vocab_size: int | None = None) -> Blueprint:
    """The model with `n_layers` of its layers, chosen so that light and heavy layers keep their share, and with a
    part of its vocabulary where one is given.

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
