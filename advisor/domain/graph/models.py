"""Whole graphs: layers, residual sums and head of each architecture."""

from __future__ import annotations

from advisor.domain.graph.attention import grouped_attention, latent_attention
from advisor.domain.graph.build import Builder, GraphPlan, LayerPlan
from advisor.domain.graph.mamba import mamba_layer
from advisor.domain.graph.nodes import Graph, Node, op
from advisor.values import value


@value
class BuiltGraph:
    """A graph with the node that holds its result."""

    graph: Graph
    logits: Node
    cuts: tuple[Node, ...]
    """First nodes of the blocks of each layer."""
    loops: tuple[tuple[int, int], ...]
    """Numbers of cuts between which everything repeats."""


def build_graph(plan: GraphPlan) -> BuiltGraph:
    """The graph of one micro-batch."""
    b = Builder(plan)
    hidden = b.embedding()
    starts = []
    for i, layer in enumerate(plan.layers):
        normed = b.norm(hidden, "hidden.t", layer.device)
        starts.append(len(b.cuts))
        b.cuts.append(normed.sources[0])
        build = _mamba if plan.architecture == "mamba2" else _transformer
        hidden = build(b, hidden, normed, layer, i == len(plan.layers) - 1)
    logits = b.head(hidden)
    loops = tuple([(starts[first], starts[second]) for first, second in plan.loops])
    return BuiltGraph(b.graph, logits, tuple(b.cuts), loops)


def _transformer(b: Builder, hidden: Node, normed: Node, layer: LayerPlan, is_last: bool) -> Node:
    attend = latent_attention if b.plan.architecture in ("deepseek2", "mistral4") else grouped_attention
    found = attend(b, normed, layer)
    if is_last:
        found, hidden = b.keep_outputs(found, hidden)
    size = f"hidden.{b.rows}"
    residual = op("add", size, found, hidden)
    normed = b.norm(residual, size, layer.device)
    b.cuts.append(normed.sources[0])
    if not layer.has_experts:
        return op("add", size, b.feed_forward(normed, layer.device), residual)
    mixed = b.experts(normed, layer)
    if b.plan.has_shared_experts:
        mixed = op("add", size, mixed, b.feed_forward(normed, layer.device, "_shexp"))
    return op("add", size, mixed, residual)


def _mamba(b: Builder, hidden: Node, normed: Node, layer: LayerPlan, is_last: bool) -> Node:
    found = mamba_layer(b, normed, layer)
    if is_last:
        found, hidden = b.keep_outputs(found, hidden)
    return op("add", f"hidden.{b.rows}", found, hidden)
