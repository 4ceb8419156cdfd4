"""Bytes per device: what a candidate takes where it is placed.

Weights and KV cache are exact for llama.cpp. The compute buffers are what its scheduler and graph allocator reserve
for one micro-batch, replayed over a small model of its graph (`advisor.domain.graph`).
"""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.graph.reserve import GraphPlacement, compute_buffers
from advisor.domain.graph.sizes import BatchDims
from advisor.domain.kv_cache import kv_cell_bytes, kv_layer_bytes, micro_batch, slot_cells, window_cells
from advisor.domain.model import Shape
from advisor.domain.placement import Placement
from advisor.domain.weights import Weights
from advisor.units import align_up
from advisor.values import value

__all__ = [
    "RAM",
    "DeviceFootprint",
    "Footprint",
    "batch_dims",
    "compute_bytes_per_device",
    "footprint",
    "kv_cell_bytes",
    "kv_layer_bytes",
    "output_buffer_bytes",
    "scratch_bounds",
]

RAM = "RAM"


@value
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


@value
class Footprint:
    """A candidate's memory. The devices are system memory first, then the GPUs in order."""

    devices: tuple[DeviceFootprint, ...]
    model_bytes: int
    """Sum of the tensors, as the file holds them; tied embeddings that lie on two devices count once."""
    basis: Basis

    @property
    def weights_bytes(self) -> int:
        return sum([d.weights_bytes for d in self.devices])

    @property
    def kv_cache_bytes(self) -> int:
        return sum([d.kv_cache_bytes for d in self.devices])

    @property
    def compute_bytes(self) -> int:
        return sum([d.compute_bytes for d in self.devices])

    @property
    def output_bytes(self) -> int:
        return sum([d.output_bytes for d in self.devices])

    @property
    def total_bytes(self) -> int:
        return sum([d.total_bytes for d in self.devices])


def batch_dims(shape: Shape, placement: Placement) -> BatchDims:
    """The micro-batch for which llama.cpp reserves its graph: full, with every slot at work."""
    tokens = micro_batch(placement)
    outputs = tokens if placement.outputs is None else min(tokens, placement.outputs)
    window = shape.window.tokens if shape.window else 0
    return BatchDims(
        tokens=align_up(tokens, placement.parallel),
        outputs=outputs,
        sequences=placement.parallel,
        cells=slot_cells(placement),
        window_cells=window_cells(window, placement),
        key_type=placement.kv_type,
        value_type=placement.value_type or placement.kv_type,
        flash_attention=placement.flash_attention,
    )


def compute_bytes_per_device(shape: Shape, weights: Weights, placement: Placement) -> tuple[int, ...]:
    """Scratch memory of one micro-batch: system memory first, then the GPUs."""
    dims, n_gpus = batch_dims(shape, placement), len(placement.gpu_layers)
    if not placement.n_gpu_layers:
        return (*compute_buffers(shape, dims, GraphPlacement()), *(0,) * n_gpus)
    *gpus, ram = compute_buffers(shape, dims, _graph_placement(placement), weights.largest)
    return (ram, *gpus)


def _graph_placement(placement: Placement) -> GraphPlacement:
    return GraphPlacement(
        layers_per_gpu=placement.gpu_layers,
        output_on_gpu=placement.output_on_gpu,
        experts_in_ram=placement.experts_in_ram,
        cache_on_gpu=placement.cache_on_gpu,
    )


def scratch_bounds(shape: Shape, weights: Weights, placement: Placement) -> tuple[int, ...]:
    """At most what each GPU needs for computing, found without replaying the copies of weights."""
    gpus = compute_buffers(shape, batch_dims(shape, placement), _graph_placement(placement))[:-1]
    fetched = max([n for key, n in weights.largest if key not in ("w:token_embd", "w:output")], default=0)
    return tuple([n + (fetched if i == 0 else 0) for i, n in enumerate(gpus)])


def output_buffer_bytes(shape: Shape, placement: Placement) -> int:
    """Logits that llama.cpp hands back: one row per slot, in system memory."""
    return 4 * shape.vocab_size * placement.parallel


def footprint(shape: Shape, weights: Weights, placement: Placement, gpu_names: tuple[str, ...]) -> Footprint:
    """Share the model out over system memory and GPUs as llama.cpp does.

    The token embedding always stays in system memory; the first layers do where not all are offloaded. For large
    batches the first GPU computes those layers too and fetches their weights. Without any layer on a GPU llama.cpp
    is taken to run on the processor alone (`--device none`).
    """
    kv = kv_layer_bytes(shape, placement)
    compute = compute_bytes_per_device(shape, weights, placement)
    gpus = _gpu_shares(weights, placement, kv, compute[1:], gpu_names)
    in_gpu = sum([d.weights_bytes for d in gpus])
    duplicated = weights.token_embd_bytes if weights.is_tied and placement.output_on_gpu else 0
    ram = DeviceFootprint(
        name=RAM,
        weights_bytes=weights.total_bytes + duplicated - in_gpu,
        kv_cache_bytes=sum(kv) - sum([d.kv_cache_bytes for d in gpus]),
        compute_bytes=compute[0],
        output_bytes=output_buffer_bytes(shape, placement),
    )
    return Footprint((ram, *gpus), weights.total_bytes, Basis.ESTIMATED)


def _gpu_shares(
    weights: Weights, placement: Placement, kv: tuple[int, ...], compute: tuple[int, ...], names: tuple[str, ...]
) -> tuple[DeviceFootprint, ...]:
    if not placement.n_gpu_layers:
        return tuple([DeviceFootprint(name, 0, 0, n, 0) for name, n in zip(names, compute, strict=True)])
    layer_bytes = weights.layer_bytes(without_experts=placement.experts_in_ram)
    start = len(kv) - sum(placement.gpu_layers)
    # The output alone goes to the first GPU.
    last = max((i for i, n in enumerate(placement.gpu_layers) if n), default=0)
    shares = []
    for i, (name, n) in enumerate(zip(names, placement.gpu_layers, strict=True)):
        stop = start + n
        held = sum(layer_bytes[start:stop])
        if i == last and placement.output_on_gpu:
            held += weights.output_bytes
        cached = sum(kv[start:stop]) if placement.cache_on_gpu else 0
        shares.append(DeviceFootprint(name, held, cached, compute[i], 0))
        start = stop
    return tuple(shares)
