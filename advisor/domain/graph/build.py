"""The graph of each architecture, node by node as llama.cpp builds it.

Sources: `build_arch_graph` of each architecture in src/models/*.cpp, the shared parts in src/llama-graph.cpp and the
cache accesses in src/llama-kv-cache.cpp, as vendored by llama-cpp-python 0.3.36. The order of the calls matters:
it is the order in which memory is taken and given back.
"""

from __future__ import annotations

from advisor.domain.graph.nodes import Graph, Node, cache, leaf, op, view, weight
from advisor.values import value

TOKENS = "t"
OUTPUTS = "o"
"""Suffixes of size keys: a row for each token of the micro-batch, or for each output."""
HEAD_ROWS = "heads"
GROUP_ROWS = "groups"
"""Row counts of tensors that have a row for each head or group of each token."""


@value
class LayerPlan:
    """One layer of the graph and where its parts lie."""

    device: int
    cache_device: int
    expert_device: int
    has_experts: bool = False
    is_windowed: bool = False
    uses_rope: bool = True


@value
class GraphPlan:
    """All that decides which nodes there are."""

    architecture: str
    layers: tuple[LayerPlan, ...]
    output_device: int
    n_devices: int
    """GPUs first, system memory last."""
    flash_attention: bool
    rotates_keys: bool = False
    rotates_values: bool = False
    """A quantized cache is rotated before it is stored."""
    n_experts_used: int = 0
    has_shared_experts: bool = False
    has_query_rank: bool = False
    normalizes_queries: bool = False
    has_rope_factors: bool = False
    loops: tuple[tuple[int, int], ...] = ()
    """Pairs of layers between which the graph repeats; each stands for a run of layers on one device."""
    forces_layers: bool = False
    """Norms are pinned to the device of their layer, as in small batches and when all layers are offloaded."""

    @property
    def cpu(self) -> int:
        """The last device, which is the processor."""
        return self.n_devices - 1


class Builder:
    """Calls of llama.cpp's graph builder, on nodes whose sizes are keys."""

    def __init__(self, plan: GraphPlan) -> None:
        self.plan = plan
        self.graph = Graph()
        self.rows = TOKENS
        self.inputs: dict[str, Node] = {}
        self.cuts: list[Node] = []
        """Where what came before can be told apart: at the norm of each block."""

    def input(self, size: str) -> Node:
        """An input that all layers share."""
        if size not in self.inputs:
            self.inputs[size] = leaf(size)
        return self.inputs[size]

    def input_part(self, size: str, part: str) -> Node:
        """A part of an input that all layers share."""
        if (key := f"{size}/{part}") not in self.inputs:
            self.inputs[key] = view(self.input(size))
        return self.inputs[key]

    def embedding(self) -> Node:
        """Rows of the token embedding; the input for ready-made embeddings is reserved beside them."""
        found = op("get_rows", "hidden.t", weight("w:token_embd", self.plan.cpu), self.input("tokens"))
        self.graph.expand(found)
        self.graph.expand(self.input("hidden_input"))
        return found

    def matmul(self, name: str, size: str, source: Node, device: int) -> Node:
        """A weight applied to every row."""
        return op("mul_mat", f"{size}.{self.rows}", weight(f"w:{name}", device), source, rows=self.rows)

    def norm(
        self, source: Node, size: str, device: int, *, forced: bool = True, key: str = "w:norm", rows: str = ""
    ) -> Node:
        """A root-mean-square norm with its weight."""
        normed = op("rms_norm", size, source)
        if forced and self.plan.forces_layers:
            normed.device = device
        return op("mul", size, normed, weight(key, device), rows=rows or self.rows)

    def rope(self, size: str, source: Node, device: int) -> Node:
        """Rotary positions, with factors of their own in some models."""
        if not self.plan.has_rope_factors:
            return op("rope", size, source, self.input("positions"))
        factors = self.inputs.setdefault(f"factors/{device}", weight("w:rope_freqs", device))
        return op("rope", size, source, self.input("positions"), factors)

    def feed_forward(self, source: Node, device: int, tag: str = "") -> Node:
        """A gated feed-forward block."""
        up = self.matmul(f"ffn_up{tag}", f"ffn{tag}", source, device)
        gate = self.matmul(f"ffn_gate{tag}", f"ffn{tag}", source, device)
        merged = op("glu", f"ffn{tag}.{self.rows}", gate, up)
        return self.matmul(f"ffn_down{tag}", "hidden", merged, device)

    def experts(self, source: Node, layer: LayerPlan) -> Node:
        """A block of routed experts."""
        is_llama4, is_normalized = self.plan.architecture == "llama4", self.plan.architecture == "llama"
        router = self.matmul("ffn_gate_inp", "router", source, layer.device)
        scores = op("unary" if is_llama4 else "soft_max", f"router.{self.rows}", router)
        order = op("argsort", f"order.{self.rows}", router if is_llama4 else scores)
        chosen = view(order)
        weights = op("get_rows", f"chosen.{self.rows}", view(scores), chosen)
        if is_normalized:
            flat = view(weights)
            total = op("clamp", f"total.{self.rows}", op("sum_rows", f"total.{self.rows}", flat))
            weights = view(op("div", f"chosen.{self.rows}", flat, total))
        self.graph.expand(weights)
        return self._mixed(self._expert_outputs(view(source), chosen, weights, layer.expert_device, is_llama4))

    def _expert_outputs(self, source: Node, chosen: Node, weights: Node, device: int, weight_first: bool) -> Node:
        wide, inner = f"expert_hidden.{self.rows}", f"expert_ffn.{self.rows}"
        if weight_first:
            source = op("mul", wide, op("repeat", wide, source), weights)
        up = op("mul_mat_id", inner, weight("w:ffn_up_exps", device), source, chosen, rows=self.rows)
        gate = op("mul_mat_id", inner, weight("w:ffn_gate_exps", device), source, chosen, rows=self.rows)
        merged = op("glu", inner, gate, up)
        found = op("mul_mat_id", wide, weight("w:ffn_down_exps", device), merged, chosen, rows=self.rows)
        return found if weight_first else op("mul", wide, found, weights)

    def _mixed(self, outputs: Node) -> Node:
        self.graph.expand(outputs)
        parts = [view(outputs) for _ in range(self.plan.n_experts_used)]
        for part in parts:
            self.graph.expand(part)
        total = parts[0]
        for part in parts[1:]:
            total = op("add", f"hidden.{self.rows}", total, part)
            self.graph.expand(total)
        return total if len(parts) > 1 else op("cont", f"hidden.{self.rows}", total)

    def keep_outputs(self, *nodes: Node) -> list[Node]:
        """Of the last layer only the rows that are asked for."""
        self.rows = OUTPUTS
        return [op("get_rows", "hidden.o", node, self.input("output_ids")) for node in nodes]

    def head(self, source: Node) -> Node:
        """Final norm and output projection."""
        device = self.plan.output_device
        normed = self.norm(source, "hidden.o", device, forced=False)
        logits = self.matmul("output", "logits", normed, device)
        self.graph.expand(logits)
        return logits

    def cache_of(self, key: str, layer: LayerPlan) -> Node:
        """A layer's keys, values or state."""
        return cache(key + ("_window" if layer.is_windowed else ""), layer.cache_device)
