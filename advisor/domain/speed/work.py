"""What a placed model has each pool do: bytes read for a token, operations for a prompt."""

from __future__ import annotations

from functools import lru_cache

from advisor.domain.kv_cache import honoured_window, kv_cell_bytes, kv_layer_bytes
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool
from advisor.domain.weights import TypedGroup, Weights
from advisor.values import value

TypeBytes = dict[str, float]
"""Bytes by ggml type."""


@value
class Parts:
    """A model's weights by what a token does with them."""

    dense: TypeBytes
    """Read for every token."""
    experts: TypeBytes
    """Routed experts, of which a token visits some."""
    output: TypeBytes
    """The projection to logits, read once per generated token and not for the rest of a prompt."""


@value
class PoolWork:
    """One pool's share."""

    pool: Pool
    n_layers: float
    """Layers that run here, counted by their dense part."""
    dense: float
    """Share of the dense weights of all layers."""
    experts: float
    """Share of the routed experts."""
    has_output: bool
    kv_bytes: float
    """Cache that one decoded token reads."""


def distinct_experts(n_total: int, n_used: int, n_tokens: int) -> float:
    """Expected number of experts that a batch of tokens visits, if the router spreads them evenly."""
    if n_tokens == 1:
        return float(n_used)
    return n_total * (1.0 - (1.0 - n_used / n_total) ** n_tokens)


def used_share(shape: Shape) -> float:
    """Share of the routed experts that one token visits; 0 without experts."""
    return shape.experts.n_used / shape.experts.n_total if shape.experts else 0.0


@lru_cache(maxsize=4096)
def parts_of(weights: Weights) -> Parts:
    """The weights by type. The token embedding is a look-up and costs nothing, unless it is the output as well."""
    dense: TypeBytes = {}
    experts: TypeBytes = {}
    output: TypeBytes = {}
    for typed in weights.groups:
        group = typed.group
        if group.layers:
            _count(experts if group.is_expert else dense, typed)
        elif group.suffix == "output.weight" or (group.suffix == "token_embd.weight" and weights.is_tied):
            _count(output, typed)
    return Parts(dense, experts, output)


def _count(into: TypeBytes, typed: TypedGroup) -> None:
    n_elements = typed.group.n_elements
    for kind, count in typed.kinds:
        into[kind.name] = into.get(kind.name, 0.0) + count * kind.n_bytes(n_elements)


def kv_read_bytes(shape: Shape, placement: Placement, depth_tokens: int) -> float:
    """Cache that one token reads at a depth; layers with a window look no further back than it."""
    if shape.state_space is not None:
        return float(sum(kv_layer_bytes(shape, placement)))
    cell = kv_cell_bytes(shape, placement.kv_type)
    window = honoured_window(shape)
    if window is None:
        return float(cell * depth_tokens * shape.n_layers)
    n_full = shape.n_layers // window.full_every
    limited = min(depth_tokens, window.tokens) * (shape.n_layers - n_full)
    return float(cell * (depth_tokens * n_full + limited))


def pool_work(shape: Shape, placement: Placement, pools: tuple[Pool, ...], depth_tokens: int) -> tuple[PoolWork, ...]:
    """The pools that do something, in the order in which a token passes them."""
    total = shape.n_layers
    kv = kv_read_bytes(shape, placement, depth_tokens)
    counts = (total - sum(placement.gpu_layers), *placement.gpu_layers)
    last = max((i for i, n in enumerate(counts) if n), default=0)
    output_at = last if placement.output_on_gpu else 0
    found = []
    for i, (pool, n) in enumerate(zip(pools, counts, strict=True)):
        share = n / total
        experts = (1.0 if i == 0 else 0.0) if placement.experts_in_ram else share
        if share or (experts and shape.experts) or i == output_at:
            found.append(PoolWork(pool, n, share, experts, i == output_at, kv * share))
    return tuple(found)


def visited_bytes(parts: Parts, work: PoolWork, shape: Shape, n_tokens: int) -> TypeBytes:
    """Weights of the layers in a pool that a batch of tokens touches, by type."""
    share = 0.0
    if shape.experts is not None and work.experts:
        total = shape.experts.n_total
        share = work.experts * distinct_experts(total, shape.experts.n_used, n_tokens) / total
    touched = {name: n * work.dense for name, n in parts.dense.items()}
    for name, n in parts.experts.items() if share else ():
        touched[name] = touched.get(name, 0.0) + n * share
    return touched
