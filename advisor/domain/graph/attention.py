"""Attention with a cache: grouped queries and latent attention. Sources as in `advisor.domain.graph.build`."""

from __future__ import annotations

from advisor.domain.graph.build import Builder, LayerPlan
from advisor.domain.graph.nodes import Node, op, view, write


def grouped_attention(b: Builder, source: Node, layer: LayerPlan) -> Node:
    """Queries, keys and values of all heads, the cache, and the output projection."""
    query = _heads(b, source, "q", layer, is_rotary=layer.uses_rope)
    key = _heads(b, source, "k", layer, is_rotary=layer.uses_rope)
    value = view(b.matmul("attn_v", "v", source, layer.device))
    suffix = "_window" if layer.is_windowed else ""
    if b.plan.rotates_keys:
        for_keys = b.input("k_rotation" + suffix)
        query, key = _rotated(query, for_keys), _rotated(key, for_keys)
    if b.plan.rotates_values:
        value = _rotated(value, b.input("v_rotation" + suffix))
    is_windowed_model = b.plan.architecture == "llama4"
    for node in (query, key, value) if is_windowed_model else (query, value, key):
        b.graph.expand(node)
    keys, values = b.cache_of("k_cache", layer), b.cache_of("v_cache", layer)
    b.graph.expand(write(keys, view(key), b.input("k_indices" + suffix)))
    b.graph.expand(write(values, view(value), b.input("v_indices" + suffix)))
    found = _attend(b, query, view(keys), view(values), layer)
    if b.plan.rotates_values:
        found = _rotated(found, b.input("v_rotation" + suffix))
    return b.matmul("attn_output", "hidden", found, layer.device)


def _heads(b: Builder, source: Node, name: str, layer: LayerPlan, *, is_rotary: bool) -> Node:
    found = view(b.matmul(f"attn_{name}", name, source, layer.device))
    if is_rotary:
        found = b.rope(f"{name}.t", found, layer.device)
        if b.plan.normalizes_queries:
            return op("rms_norm", f"{name}.t", found)
    if name == "q" and (b.plan.architecture == "mistral3" or not is_rotary):
        return op("mul", "q.t", found, b.input("attention_scale"))
    return found


def _rotated(node: Node, rotation: Node) -> Node:
    """A Hadamard rotation of each head (`llama_mul_mat_hadamard`)."""
    size = node.size
    return view(op("mul_mat", size, rotation, view(node)))


def _attend(b: Builder, query: Node, keys: Node, values: Node, layer: LayerPlan) -> Node:
    suffix = "_window" if layer.is_windowed else ""
    mask = b.input("mask" + suffix)
    query, keys, values = view(view(query)), view(keys), view(values)
    if b.plan.flash_attention:
        found = view(op("flash_attention", "attention.t", query, keys, values, mask))
    else:
        scores = op("soft_max", f"scores{suffix}", op("mul_mat", f"scores{suffix}", keys, query), mask)
        found = op("cont", "attention.t", view(op("mul_mat", "attention.t", values, scores)))
    b.graph.expand(found)
    return found


def latent_attention(b: Builder, source: Node, layer: LayerPlan) -> Node:
    """Compressed keys and values, decompressed behind the attention."""
    device = layer.device
    if b.plan.has_query_rank:
        reduced = b.norm(b.matmul("attn_q_a", "q_rank", source, device), "q_rank.t", device)
        query = view(b.matmul("attn_q_b", "q", reduced, device))
    else:
        query = view(b.matmul("attn_q", "q", source, device))
    compressed = b.matmul("attn_kv_a_mqa", "kv_rank_rope", source, device)
    rope_key = b.rope("k_rope.t", view(compressed), device)
    latent = b.norm(view(compressed), "kv_rank.t", device)
    rope_query = b.rope("q_rope.t", view(query), device)
    absorbed = view(b.matmul("attn_k_b", "q_absorbed", view(view(query)), device))
    query = op("concat", "q_latent.t", absorbed, rope_query)
    latent = view(latent)
    key = op("concat", "k_latent.t", latent, rope_key)
    for node in (query, latent, key):
        b.graph.expand(node)
    keys = b.cache_of("k_cache", layer)
    b.graph.expand(write(keys, view(key), b.input("k_indices")))
    return b.matmul("attn_output", "hidden", _attend_latent(b, query, view(keys), device), device)


def _attend_latent(b: Builder, query: Node, keys: Node, device: int) -> Node:
    mask, values = b.input("mask"), view(view(keys))
    query, keys = view(view(query)), view(keys)
    if b.plan.flash_attention:
        found = view(op("flash_attention", "latent.t", query, keys, values, mask))
        found = view(b.matmul("attn_v_b", "values", found, device))
        found = view(op("cont", "values.t", view(found)))
    else:
        scores = op("soft_max", "scores", op("mul_mat", "scores", keys, query), mask)
        turned = op("cont", "v_turned", view(values))
        found = b.matmul("attn_v_b", "values", op("mul_mat", "latent.t", turned, scores), device)
        found = op("cont", "values.t", view(found))
    b.graph.expand(found)
    return found
