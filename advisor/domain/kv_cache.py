"""Cells of llama.cpp's caches, and the bytes in them.

Sources: `llama_context::llama_context` (padding), src/llama-kv-cache.cpp, src/llama-kv-cache-iswa.cpp (windows) and
src/llama-memory-recurrent.cpp (states) of llama.cpp, as vendored by llama-cpp-python 0.3.36.
"""

from __future__ import annotations

from advisor.domain.ggml import GGML_TYPES
from advisor.domain.model import Shape, Window
from advisor.domain.placement import Placement
from advisor.units import align_up

KV_PADDING = 256
"""llama.cpp rounds the cells of a cache up to this many."""

_WINDOWED = frozenset({"llama4"})
"""Architectures for which llama.cpp keeps a short cache; `llama` ignores the window of Mistral 7B v0.1 and of
Ministral 8B."""


def slot_cells(placement: Placement) -> int:
    """Cells of one slot in a layer that attends to everything."""
    return align_up(align_up(placement.context_tokens, KV_PADDING) // placement.parallel, KV_PADDING)


def window_cells(window_tokens: int, placement: Placement) -> int:
    """Cells of one slot in a windowed layer: the window and one micro-batch, never more than elsewhere."""
    return align_up(min(slot_cells(placement), window_tokens + micro_batch(placement)), KV_PADDING)


def micro_batch(placement: Placement) -> int:
    """Tokens that are computed together, which the context limits."""
    return min(placement.ubatch, placement.batch, placement.context_tokens)


def honoured_window(shape: Shape) -> Window | None:
    """The window, where llama.cpp saves memory with it."""
    window = shape.window
    return window if window is not None and shape.architecture in _WINDOWED and window.full_every else None


def kv_layer_bytes(shape: Shape, placement: Placement) -> tuple[int, ...]:
    """Cache bytes of each layer."""
    if shape.state_space is not None:
        return (_state_bytes(shape, placement.parallel),) * shape.n_layers
    cell = cell_bytes(shape, placement.kv_type, placement.value_type or placement.kv_type)
    full = slot_cells(placement) * placement.parallel * cell
    window = honoured_window(shape)
    if window is None:
        return (full,) * shape.n_layers
    limited = window_cells(window.tokens, placement) * placement.parallel * cell
    return tuple([full if (i + 1) % window.full_every == 0 else limited for i in range(shape.n_layers)])


def kv_cell_bytes(shape: Shape, kv_type: str) -> int:
    """Cache bytes of one token in one layer, with keys and values of one type."""
    return cell_bytes(shape, kv_type, kv_type)


def cell_bytes(shape: Shape, key_type: str, value_type: str) -> int:
    """Cache bytes of one token in one layer: keys and values of all KV heads."""
    keys, values = GGML_TYPES[key_type.upper()], GGML_TYPES[value_type.upper()]
    if shape.latent is not None:
        # The compressed vector is stored once: values are a view of the keys.
        return keys.n_bytes(shape.latent.kv_rank + shape.latent.rope_head_dim)
    width = shape.n_kv_heads * shape.head_dim
    return keys.n_bytes(width) + values.n_bytes(width)


def _state_bytes(shape: Shape, parallel: int) -> int:
    """Recurrent state of a Mamba-2 layer, in F32: convolution history and state matrix per sequence."""
    space = shape.state_space
    if space is None:
        return 0
    conv = (space.conv_kernel - 1) * (space.inner_size + 2 * space.n_groups * space.state_size)
    return 4 * parallel * (conv + space.inner_size * space.state_size)
