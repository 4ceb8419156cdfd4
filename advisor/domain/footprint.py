"""Bytes per device: what a candidate takes where it is placed.

Weights and KV cache are exact for llama.cpp. The compute buffer restates what its graph allocator reserves for one
micro-batch: the feed-forward activations, the attention scores without flash attention, or the logits, whichever
peaks, and the attention mask.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.basis import Basis
from advisor.domain.ggml import GGML_TYPES
from advisor.domain.model import Shape
from advisor.domain.placement import Placement
from advisor.domain.weights import Weights
from advisor.units import align_up

RAM = "RAM"

KV_PADDING = 256
"""llama.cpp rounds the cells of a cache up to this many (`n_ctx` is padded in `llama_context`)."""


@dataclass(frozen=True, slots=True)
class DeviceFootprint:
    """One device's share."""

    name: str
    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    output_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.kv_cache_bytes + self.compute_bytes + self.output_bytes


@dataclass(frozen=True, slots=True)
class Footprint:
    """A candidate's memory. The devices are system memory first, then the GPUs in order."""

    devices: tuple[DeviceFootprint, ...]
    model_bytes: int
    """Sum of the tensors, as the file holds them; tied embeddings that lie on two devices count once."""
    basis: Basis

    @property
    def weights_bytes(self) -> int:
        return sum(d.weights_bytes for d in self.devices)

    @property
    def kv_cache_bytes(self) -> int:
        return sum(d.kv_cache_bytes for d in self.devices)

    @property
    def compute_bytes(self) -> int:
        return sum(d.compute_bytes for d in self.devices)

    @property
    def output_bytes(self) -> int:
        return sum(d.output_bytes for d in self.devices)

    @property
    def total_bytes(self) -> int:
        return sum(d.total_bytes for d in self.devices)


def kv_layer_bytes(shape: Shape, placement: Placement) -> tuple[int, ...]:
    """Cache bytes of each layer."""
    if shape.state_space is not None:
        return (_state_bytes(shape, placement.parallel),) * shape.n_layers
    cell = kv_cell_bytes(shape, placement.kv_type)
    full = _full_cells(placement) * cell
    window = shape.window
    if window is None or window.full_every == 0:
        # A window in every layer (Mistral 7B v0.1) is a window that llama.cpp's `llama` architecture ignores.
        return (full,) * shape.n_layers
    limited = _window_cells(window.tokens, placement) * cell
    every = window.full_every
    return tuple(full if (i + 1) % every == 0 else limited for i in range(shape.n_layers))


def kv_cell_bytes(shape: Shape, kv_type: str) -> int:
    """Cache bytes of one token in one layer: keys and values of all KV heads."""
    ggml_type = GGML_TYPES[kv_type.upper()]
    if shape.latent is not None:
        # The compressed vector is stored once: values are a view of the keys.
        return ggml_type.n_bytes(shape.latent.kv_rank + shape.latent.rope_head_dim)
    return 2 * ggml_type.n_bytes(shape.n_kv_heads * shape.head_dim)


def _full_cells(placement: Placement) -> int:
    """Every slot has a cache of its own length, padded."""
    per_slot = align_up(placement.context_tokens // placement.parallel, KV_PADDING)
    return per_slot * placement.parallel


def _window_cells(window_tokens: int, placement: Placement) -> int:
    """Cells of a windowed layer: the window and one micro-batch per slot, never more than a full layer."""
    per_slot = align_up(window_tokens + placement.ubatch, KV_PADDING)
    return min(per_slot * placement.parallel, _full_cells(placement))


def _state_bytes(shape: Shape, parallel: int) -> int:
    """Recurrent state of a Mamba-2 layer, in F32: convolution history and state matrix per sequence."""
    space = shape.state_space
    if space is None:
        return 0
    conv = (space.conv_kernel - 1) * (space.inner_size + 2 * space.n_groups * space.state_size)
    return 4 * parallel * (conv + space.inner_size * space.state_size)


def compute_buffer_bytes(shape: Shape, placement: Placement) -> int:
    """Scratch memory of one micro-batch on a device that runs layers and output."""
    tokens = min(placement.ubatch, placement.context_tokens)
    cells = _full_cells(placement) // placement.parallel
    row = 4 * tokens
    hidden = row * shape.hidden_size
    width = max(shape.ffn_size, _expert_width(shape))
    feed_forward = 3 * row * width + 4 * hidden
    logits = row * shape.vocab_size + hidden
    if placement.flash_attention:
        attention, mask = 5 * hidden, 2 * tokens * cells
    else:
        attention = row * cells * shape.n_heads + 11 * hidden // 2
        mask = 4 * tokens * cells
    return max(feed_forward, logits, attention) + mask


def _expert_width(shape: Shape) -> int:
    experts = shape.experts
    return experts.n_used * experts.ffn_size + experts.n_shared * experts.ffn_size if experts else 0


def output_buffer_bytes(shape: Shape, placement: Placement) -> int:
    """Logits that llama.cpp hands back: one row per slot, in system memory."""
    return 4 * shape.vocab_size * placement.parallel


def footprint(shape: Shape, weights: Weights, placement: Placement, gpu_names: tuple[str, ...]) -> Footprint:
    """Share the model out over system memory and GPUs as llama.cpp does.

    The token embedding always stays in system memory; the first layers do where not all are offloaded.
    """
    kv = kv_layer_bytes(shape, placement)
    compute = compute_buffer_bytes(shape, placement)
    output = output_buffer_bytes(shape, placement)
    on_gpu = sum(placement.gpu_layers)
    if not on_gpu:
        ram = DeviceFootprint(RAM, weights.total_bytes, sum(kv), compute, output)
        idle = tuple(DeviceFootprint(name, 0, 0, 0, 0) for name in gpu_names)
        return Footprint((ram, *idle), weights.total_bytes, Basis.ESTIMATED)
    gpus = tuple(_gpu_shares(weights, placement, kv, compute, gpu_names))
    in_gpu = sum(d.weights_bytes for d in gpus)
    duplicated = weights.token_embd_bytes if weights.is_tied and placement.output_on_gpu else 0
    ram_weights = weights.total_bytes + duplicated - in_gpu
    works_in_ram = on_gpu < shape.n_layers or placement.experts_in_ram
    ram = DeviceFootprint(
        RAM,
        ram_weights,
        sum(kv[: shape.n_layers - on_gpu]),
        compute if works_in_ram else _host_buffer_bytes(shape, placement),
        output,
    )
    return Footprint((ram, *gpus), weights.total_bytes, Basis.ESTIMATED)


def _gpu_shares(
    weights: Weights, placement: Placement, kv: tuple[int, ...], compute: int, names: tuple[str, ...]
) -> list[DeviceFootprint]:
    layer_bytes = weights.layer_bytes(without_experts=placement.experts_in_ram)
    start = len(kv) - sum(placement.gpu_layers)
    last = max(i for i, n in enumerate(placement.gpu_layers) if n)
    shares = []
    for i, (name, n) in enumerate(zip(names, placement.gpu_layers, strict=True)):
        stop = start + n
        held = sum(layer_bytes[start:stop])
        if i == last and placement.output_on_gpu:
            held += weights.output_bytes
        shares.append(DeviceFootprint(name, held, sum(kv[start:stop]), compute if n else 0, 0))
        start = stop
    return shares


def _host_buffer_bytes(shape: Shape, placement: Placement) -> int:
    """Pinned host buffer for the inputs of a fully offloaded graph: embeddings of a micro-batch and the mask."""
    tokens = min(placement.ubatch, placement.context_tokens)
    cells = _full_cells(placement) // placement.parallel
    return 4 * tokens * shape.hidden_size + (2 if placement.flash_attention else 4) * tokens * cells
