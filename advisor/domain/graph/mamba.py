"""A Mamba-2 layer. Source: `build_mamba2_layer` in src/models/mamba-base.cpp and `build_rs` in src/llama-graph.cpp."""

from __future__ import annotations

from collections.abc import Callable

from advisor.domain.graph.build import GROUP_ROWS, HEAD_ROWS, Builder, LayerPlan
from advisor.domain.graph.nodes import Node, op, view, weight, write


def mamba_layer(b: Builder, source: Node, layer: LayerPlan) -> Node:
    """Convolution, state-space scan, gate and output projection."""
    device = layer.device
    conv_states, states = b.cache_of("conv_cache", layer), b.cache_of("state_cache", layer)
    conv = view(_state(b, conv_states, lambda kept, ids: op("get_rows", "conv_state", kept, ids)))
    projected = view(b.matmul("ssm_in", "projection", source, device))
    window = op("concat", "conv_window", conv, view(view(projected)))
    b.graph.expand(write(conv_states, view(window)))
    mixed = op("ssm_conv", "conv.t", window, weight("w:ssm_conv1d", device), rows=b.rows)
    mixed = op("unary", "conv.t", op("add", "conv.t", mixed, weight("w:ssm_conv1d.bias", device), rows=b.rows))
    x, left, right = view(mixed, "scan_x"), view(mixed, "scan_side"), view(mixed, "scan_side")
    steps = op("add", "steps.t", op("cont", "steps.t", view(projected)), weight("w:ssm_dt.bias", device), rows=b.rows)

    def scan(kept: Node, ids: Node) -> Node:
        return op("ssm_scan", "scan", view(kept), x, steps, weight("w:ssm_a", device), left, right, ids)

    scanned = _state(b, states, scan)
    b.graph.expand(write(view(states), view(scanned)))
    skipped = op("mul", "inner.t", x, weight("w:ssm_d", device), rows=HEAD_ROWS)
    summed = op("add", "inner.t", view(scanned, "inner.t"), skipped)
    gated = op("glu", "inner.t", op("cont", "inner.t", view(projected)), summed)
    normed = b.norm(view(gated), "inner.t", device, key="w:ssm_norm", rows=GROUP_ROWS)
    return b.matmul("ssm_out", "hidden", view(normed), device)


def _state(b: Builder, states: Node, read: Callable[[Node, Node], Node]) -> Node:
    """Clear what begins anew, read the states in use, and move the others (of which a full batch has none)."""
    kept = view(states)
    b.graph.expand(write(states, view(kept)))
    found = read(kept, b.input_part("state_ids", "used"))
    b.graph.expand(found)
    b.graph.expand(write(states, op("get_rows", "nothing", kept, b.input_part("state_ids", "moved"))))
    return found
