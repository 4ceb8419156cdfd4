"""Bytes behind the size keys of a graph, for one model, one micro-batch and one cache."""

from __future__ import annotations

from advisor.domain.ggml import GGML_TYPES
from advisor.domain.graph.build import OUTPUTS, TOKENS
from advisor.domain.model import Shape
from advisor.values import value

_F32 = 4
"""Bytes of a number, an F32 or an I32."""
_INDEX = 8
"""Bytes of the place of a token in the cache, an I64."""


@value
class BatchDims:
    """The micro-batch that llama.cpp reserves memory for."""

    tokens: int
    outputs: int
    """Rows of logits."""
    sequences: int
    """That the tokens belong to; each has cells of its own."""
    cells: int
    """Cache cells that one sequence can attend to."""
    window_cells: int
    """The same in layers with a window."""
    key_type: str
    value_type: str
    flash_attention: bool


def graph_sizes(shape: Shape, dims: BatchDims) -> dict[str, int]:
    """Bytes for every size key that a graph of this shape can have, but those of weights."""
    sizes = {"nothing": 0, "": 0, "w:norm": _F32 * shape.hidden_size, "w:rope_freqs": 2 * shape.head_dim}
    for suffix, rows in ((TOKENS, dims.tokens), (OUTPUTS, dims.outputs)):
        row = _F32 * rows
        sizes.update({f"{name}.{suffix}": row * width for name, width in _widths(shape).items()})
    sizes.update(_inputs(shape, dims))
    if shape.state_space is not None:
        sizes.update(_state_sizes(shape, dims))
    else:
        sizes.update(_cache_sizes(shape, dims))
    return sizes


def _widths(shape: Shape) -> dict[str, int]:
    """Elements of one row, in F32 or I32."""
    experts = shape.experts
    widths = {"hidden": shape.hidden_size, "logits": shape.vocab_size, "ffn": shape.ffn_size}
    if experts is not None:
        used, width = experts.n_used, experts.ffn_size
        widths |= {"ffn_shexp": width * max(1, experts.n_shared), "router": experts.n_total, "order": experts.n_total}
        widths |= {"chosen": used, "total": 1, "expert_ffn": used * width, "expert_hidden": used * shape.hidden_size}
    heads, latent, space = shape.n_heads, shape.latent, shape.state_space
    if latent is not None:
        rank, rope = latent.kv_rank, latent.rope_head_dim
        widths |= {"q_rank": latent.q_rank, "q": heads * (latent.nope_head_dim + rope), "kv_rank": rank}
        widths |= {"kv_rank_rope": rank + rope, "k_rope": rope, "q_rope": heads * rope, "k_latent": rank + rope}
        widths |= {"q_absorbed": heads * rank, "q_latent": heads * (rank + rope), "latent": heads * rank}
        widths |= {"values": heads * latent.value_head_dim}
    elif space is not None:
        conv = space.inner_size + 2 * space.n_groups * space.state_size
        widths |= {"projection": space.inner_size + conv + space.n_heads, "conv": conv, "inner": space.inner_size}
        widths |= {"steps": space.n_heads}
    else:
        kv = shape.n_kv_heads * shape.head_dim
        widths |= {"q": heads * shape.head_dim, "k": kv, "v": kv, "attention": heads * shape.head_dim}
    return widths


def _inputs(shape: Shape, dims: BatchDims) -> dict[str, int]:
    tokens = dims.tokens
    # Without flash attention the cached values are transposed, and every element has an index of its own.
    per_value = 1 if dims.flash_attention else shape.n_kv_heads * shape.head_dim
    mask = (2 if dims.flash_attention else _F32) * tokens
    return {
        "tokens": _F32 * tokens,
        "positions": _F32 * tokens,
        "hidden_input": _F32 * tokens * shape.hidden_size,
        "output_ids": _F32 * dims.outputs,
        "attention_scale": _F32 * tokens,
        "k_indices": _INDEX * tokens,
        "v_indices": _INDEX * tokens * per_value,
        "k_indices_window": _INDEX * tokens,
        "v_indices_window": _INDEX * tokens * per_value,
        "mask": mask * dims.cells,
        "mask_window": mask * dims.window_cells,
        **dict.fromkeys(("k_rotation", "k_rotation_window"), _F32 * _rotation(shape.head_dim) ** 2),
        **dict.fromkeys(("v_rotation", "v_rotation_window"), _F32 * 64**2),
        "state_ids": _F32 * dims.sequences,
    }


def _rotation(head_dim: int) -> int:
    """Side of the Hadamard matrix for keys: the largest power of two times 64 that divides the head."""
    side = 64
    while head_dim and head_dim % (2 * side) == 0:
        side *= 2
    return side


def _cache_sizes(shape: Shape, dims: BatchDims) -> dict[str, int]:
    keys, values = GGML_TYPES[dims.key_type.upper()], GGML_TYPES[dims.value_type.upper()]
    rank = shape.latent.kv_rank if shape.latent else 0
    k_width = rank + shape.latent.rope_head_dim if shape.latent else shape.n_kv_heads * shape.head_dim
    v_width = 0 if shape.latent else k_width
    sizes = {}
    for suffix, cells in (("", dims.cells), ("_window", dims.window_cells)):
        total = cells * dims.sequences
        sizes["k_cache" + suffix] = keys.n_bytes(k_width * total)
        sizes["v_cache" + suffix] = values.n_bytes(v_width * total)
        sizes["scores" + suffix] = _F32 * cells * dims.tokens * shape.n_heads
    sizes["v_turned"] = keys.n_bytes(rank * dims.cells * dims.sequences)
    result = "latent" if shape.latent else "attention"
    width = shape.n_heads * (rank or shape.head_dim)
    copied = (k_width if dims.key_type != "f16" else 0) + (v_width if dims.value_type != "f16" else 0)
    extra = 2 * copied * dims.cells * dims.sequences
    # On a GPU the result of flash attention is followed by a half-precision copy of a quantized cache.
    sizes[f"{result}.t.gpu"] = _F32 * dims.tokens * width + extra
    return sizes


def _state_sizes(shape: Shape, dims: BatchDims) -> dict[str, int]:
    space = shape.state_space
    if space is None:
        return {}
    conv = space.inner_size + 2 * space.n_groups * space.state_size
    sequences, tail = dims.sequences, space.conv_kernel - 1
    state = space.state_size * space.inner_size * sequences
    return {
        "scan_x": _F32 * ((dims.tokens - 1) * conv + space.inner_size),
        "scan_side": _F32 * ((dims.tokens - 1) * conv + space.n_groups * space.state_size),
        "conv_state": _F32 * tail * conv * sequences,
        "conv_window": _F32 * conv * (tail * sequences + dims.tokens),
        "scan": _F32 * (space.inner_size * dims.tokens + state),
        "conv_cache": _F32 * tail * conv * sequences,
        "state_cache": _F32 * state,
        "w:ssm_conv1d": _F32 * space.conv_kernel * conv,
        "w:ssm_conv1d.bias": _F32 * conv,
        "w:ssm_norm": _F32 * space.inner_size,
        **dict.fromkeys(("w:ssm_dt.bias", "w:ssm_a", "w:ssm_d"), _F32 * space.n_heads),
    }
