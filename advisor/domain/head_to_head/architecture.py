"""What a model's shape means for memory and speed, in words: experts, attention, window, positions."""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.head_to_head.values import Figure, known, unknown
from advisor.domain.kv_cache import honoured_window, kv_cell_bytes, kv_layer_bytes
from advisor.domain.model import Model, Shape, Window
from advisor.domain.placement import Placement, cpu_placement
from advisor.units import format_bytes, format_count

VLLM_WINDOWS = "vllm-project/vllm@1153c0c8 docs/design/hybrid_kv_cache_manager.md: blocks outside a window are freed"
F16_BYTES = 2


def blocks_figure(model: Model) -> Figure:
    """Dense, or how many experts of how many a token visits."""
    total, active, shape = model.total_params, model.active_params, model.shape
    if total is None:
        return unknown(model.unknowns.get("total_params", "nobody sourced its parameters"))
    experts = None if shape is None else shape.experts
    per_token = f"{format_count(active)} of them per token" if active else "active parameters unknown"
    if experts is not None:
        shared = f" and {experts.n_shared} shared" if experts.n_shared else ""
        text = f"{experts.n_used} of {experts.n_total} experts{shared}: {format_count(total)} parameters, {per_token}"
    elif shape is not None:
        text = f"dense, {format_count(total)} parameters"
    else:
        text = f"{format_count(total)} parameters, {'all of them per token' if active == total else per_token}"
    return known(text, total, Basis.PUBLISHED, _source(model, "total_params"))


def attention_figure(model: Model) -> Figure:
    """How heads share keys and values, and what that saves against a pair for each head."""
    shape = model.shape
    if shape is None:
        return unknown(model.shape_reason or "its shape is unknown")
    if shape.state_space is not None:
        return known("none: a state-space model with a state of constant size", None, Basis.PUBLISHED)
    if shape.latent is not None:
        return known(
            f"multi-head latent: one vector of {shape.latent.kv_rank + shape.latent.rope_head_dim} per token and layer",
            None,
            Basis.PUBLISHED,
            _source(model, "shape.latent.kv_rank"),
        )
    source = _source(model, "shape.n_kv_heads")
    if shape.n_kv_heads == shape.n_heads:
        text = f"multi-head: {shape.n_heads} heads, each with keys and values of its own"
        return known(text, shape.n_kv_heads, Basis.PUBLISHED, source)
    saved = (_multi_head_bytes(shape) - cache_bytes_per_token(shape)) if shape.n_kv_heads else 0
    text = (
        f"grouped-query: {shape.n_heads} heads share {shape.n_kv_heads} KV heads, "
        f"{format_bytes(saved)} of cache per token less than multi-head"
    )
    return known(text, shape.n_kv_heads, Basis.PUBLISHED, source)


def cache_bytes_per_token(shape: Shape) -> int:
    """f16 cache of one token in all layers that attend to everything, as llama.cpp stores it."""
    return 0 if shape.state_space is not None else kv_cell_bytes(shape, "f16") * shape.n_layers


def _multi_head_bytes(shape: Shape) -> int:
    return 2 * F16_BYTES * shape.n_heads * shape.head_dim * shape.n_layers


def window_figure(model: Model, context_tokens: int) -> Figure:
    """What a window saves at a context, and in which engine."""
    shape = model.shape
    if shape is None:
        return unknown(model.shape_reason or "its shape is unknown")
    if shape.state_space is not None:
        return known("none: nothing attends")
    if shape.window is None:
        return known("none: every layer attends to all tokens")
    kind = f"{shape.window.kind}, {shape.window.tokens:,} tokens in {_layers_in(shape.window)}"
    placement = cpu_placement(context_tokens)
    full = cache_bytes_per_token(shape) * context_tokens
    if honoured_window(shape) is not None:
        held = sum(kv_layer_bytes(shape, placement))
        saving = f"llama.cpp holds {format_bytes(held)} instead of {format_bytes(full)} at {context_tokens:,} tokens"
        return known(f"{kind}; {saving}", full - held, Basis.ESTIMATED, "cells as llama.cpp counts them")
    return known(
        f"{kind}; llama.cpp saves nothing, {_in_vllm(shape, shape.window, placement)}", 0, Basis.ESTIMATED,
        f"llama.cpp by a load without weights; {VLLM_WINDOWS}",
    )  # fmt: skip


def _layers_in(window: Window) -> str:
    n = window.full_every
    return "every layer" if n == 0 else f"{n - 1} of {n} layers"


def _in_vllm(shape: Shape, window: Window, placement: Placement) -> str:
    context = placement.context_tokens
    if context <= window.tokens:
        return f"nor would vLLM at {context:,} tokens, which the window holds"
    per_layer = kv_cell_bytes(shape, "f16")
    full_layers = shape.n_layers // window.full_every if window.full_every else 0
    held = per_layer * (full_layers * context + (shape.n_layers - full_layers) * window.tokens)
    full = per_layer * shape.n_layers * context
    return f"vLLM would hold {format_bytes(held)} instead of {format_bytes(full)} at {context:,} tokens"


def rotary_figure(model: Model) -> Figure:
    """Base of the rotary position embedding, and whether the file carries factors for its frequencies; scaling by
    metadata alone (YaRN) is not in the catalogue."""
    if model.rope_theta is None:
        return unknown(model.unknowns.get("rope_theta", "nobody sourced it"))
    shape = model.shape
    has_factors = shape is not None and shape.rope_factors
    scaled = "frequency factors in the file for long contexts" if has_factors else "no frequency factors in the file"
    return known(
        f"base {model.rope_theta:,.0f}, {scaled}", model.rope_theta, Basis.PUBLISHED, _source(model, "rope_theta")
    )


def _source(model: Model, field: str) -> str | None:
    found = model.provenance.get(field)
    return None if found is None else found.source
