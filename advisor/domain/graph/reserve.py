"""The buffers that llama.cpp reserves for computing, for any placement."""

from __future__ import annotations

from functools import cache, lru_cache
from math import lcm

from advisor.domain.graph.allocator import Program, Walk
from advisor.domain.graph.build import GROUP_ROWS, HEAD_ROWS, OUTPUTS, TOKENS, GraphPlan, LayerPlan
from advisor.domain.graph.models import build_graph
from advisor.domain.graph.schedule import PIPELINE_COPIES, Schedule
from advisor.domain.graph.sizes import BatchDims, graph_sizes
from advisor.domain.kv_cache import honoured_window
from advisor.domain.model import Shape
from advisor.units import align_up
from advisor.values import value

CPU_ALIGNMENT = 32
"""`TENSOR_ALIGNMENT` of ggml/src/ggml-impl.h."""
GPU_ALIGNMENT = 128
"""`ggml_backend_cuda_buffer_type_get_alignment` of ggml/src/ggml-cuda/ggml-cuda.cu."""
OFFLOAD_ROWS = 32
"""Rows from which a GPU computes with weights that lie in system memory (`op_offload_min_batch_size`)."""

_QUERIES_NOT_NORMALIZED = 128
"""The Llama 4 with that many experts, Maverick, is the one without query norms (`use_kq_norm`)."""


@value
class GraphPlacement:
    """As much of a placement as decides about the graph."""

    layers_per_gpu: tuple[int, ...] = ()
    """The last layers of the model lie on GPUs, in their order; empty where llama.cpp has no GPU."""
    output_on_gpu: bool = False
    experts_in_ram: bool = False
    cache_on_gpu: bool = True


@value
class _Layout:
    """A graph with repeated layers left out."""

    plan: GraphPlan
    program: Program
    alignments: tuple[int, ...]
    repeats: tuple[int, ...]


def compute_buffers(
    shape: Shape, dims: BatchDims, where: GraphPlacement, weight_sizes: tuple[tuple[str, int], ...] = ()
) -> tuple[int, ...]:
    """Bytes on each GPU and, last, in system memory.

    `weight_sizes` are the bytes of the largest tensor of each name that can lie in system memory: a GPU fetches it
    there for large batches.
    """
    is_whole = where.output_on_gpu and sum(where.layers_per_gpu) == shape.n_layers and not where.experts_in_ram
    fetches = bool(where.layers_per_gpu) and not is_whole
    return _buffers(shape, dims, where, weight_sizes if fetches else ())


@lru_cache(maxsize=65536)
def _buffers(
    shape: Shape, dims: BatchDims, where: GraphPlacement, weight_sizes: tuple[tuple[str, int], ...]
) -> tuple[int, ...]:
    weights = dict(weight_sizes)
    return tuple([walk.peak(weights) for walk in _walks(shape, dims, where)])


@lru_cache(maxsize=1024)
def _walks(shape: Shape, dims: BatchDims, where: GraphPlacement) -> tuple[Walk, ...]:
    """What all file types have in common."""
    rotated = (_is_rotated(shape, dims.key_type), _is_rotated(shape, dims.value_type))
    offloaded_rows = _offloaded_rows(shape, dims) if where.layers_per_gpu else frozenset()
    layout = _layout(shape, where, dims.flash_attention, rotated, offloaded_rows, dims.tokens < OFFLOAD_ROWS)
    return layout.program.walks(graph_sizes(shape, dims), layout.alignments, layout.repeats)


def _is_rotated(shape: Shape, cache_type: str) -> bool:
    """Whether a cache is rotated before it is quantized (`attn_rot_k`, `attn_rot_v` in src/llama-kv-cache.cpp)."""
    return cache_type != "f16" and shape.latent is None and shape.state_space is None and shape.head_dim % 64 == 0


def _offloaded_rows(shape: Shape, dims: BatchDims) -> frozenset[str]:
    """Keys of the row counts that are worth a copy of weights to a GPU."""
    space = shape.state_space
    counts = {TOKENS: dims.tokens, OUTPUTS: dims.outputs}
    if space is not None:
        counts |= {HEAD_ROWS: dims.tokens * space.n_heads, GROUP_ROWS: dims.tokens * space.n_groups}
    return frozenset([key for key, n in counts.items() if n >= OFFLOAD_ROWS])


@cache
def _program(plan: GraphPlan, offloaded_rows: frozenset[str], copies: int) -> Program:
    return Schedule(build_graph(plan), plan.n_devices, offloaded_rows, copies).program()


@lru_cache(maxsize=65536)
def _layout(
    shape: Shape,
    where: GraphPlacement,
    flash_attention: bool,
    rotated: tuple[bool, bool],
    offloaded_rows: frozenset[str],
    is_small: bool,
) -> _Layout:
    n_gpus = len(where.layers_per_gpu)
    layers, loops, repeats = _runs(shape, where)
    is_whole = n_gpus > 0 and where.output_on_gpu and sum(where.layers_per_gpu) == shape.n_layers
    plan = GraphPlan(
        architecture=shape.architecture,
        layers=layers,
        output_device=_output_device(where),
        n_devices=n_gpus + 1,
        flash_attention=flash_attention,
        rotates_keys=rotated[0],
        rotates_values=rotated[1],
        loops=loops,
        forces_layers=n_gpus > 0 and (is_small or is_whole),
        n_experts_used=shape.experts.n_used if shape.experts else 0,
        has_shared_experts=bool(shape.experts and shape.experts.n_shared),
        has_query_rank=bool(shape.latent and shape.latent.q_rank),
        normalizes_queries=_normalizes_queries(shape),
        has_rope_factors=shape.rope_factors,
    )
    has_pipeline = n_gpus > 1 and is_whole and where.cache_on_gpu and not where.experts_in_ram
    program = _program(plan, offloaded_rows, PIPELINE_COPIES if has_pipeline else 1)
    return _Layout(plan, program, (GPU_ALIGNMENT,) * n_gpus + (CPU_ALIGNMENT,), repeats)


def _runs(
    shape: Shape, where: GraphPlacement
) -> tuple[tuple[LayerPlan, ...], tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Layers device by device, with a loop for each run that is shortened and how often it is repeated."""
    n_gpus = len(where.layers_per_gpu)
    layers: list[LayerPlan] = []
    loops: list[tuple[int, int]] = []
    repeats: list[int] = []
    start = 0
    for device, count in zip((n_gpus, *range(n_gpus)), _counts(shape, where), strict=True):
        kept, first, period, n_again = _shortened(shape, start, count, is_exact=n_gpus == 0)
        if n_again:
            loops.append((len(layers) + first, len(layers) + first + period))
            repeats.append(n_again)
        layers += [_layer(shape, start + i, device, where, n_gpus) for i in range(kept)]
        start += count
    return tuple(layers), tuple(loops), tuple(repeats)


def _counts(shape: Shape, where: GraphPlacement) -> tuple[int, ...]:
    """Layers in system memory and on each GPU; whole periods where the layers differ and several devices share them,
    which spares many graphs and changes buffers little."""
    counts = (shape.n_layers - sum(where.layers_per_gpu), *where.layers_per_gpu)
    period = _period(shape)
    if period == 1 or len([n for n in counts if n]) < 2:
        return counts
    return tuple([align_up(n, period) for n in counts])


def _normalizes_queries(shape: Shape) -> bool:
    experts = shape.experts
    return shape.architecture == "llama4" and experts is not None and experts.n_total != _QUERIES_NOT_NORMALIZED


def _output_device(where: GraphPlacement) -> int:
    n_gpus = len(where.layers_per_gpu)
    if not where.output_on_gpu:
        return n_gpus
    return max((i for i, n in enumerate(where.layers_per_gpu) if n), default=0)


def _shortened(shape: Shape, start: int, count: int, *, is_exact: bool) -> tuple[int, int, int, int]:
    """Of a run of layers on one device: how many are kept, where its loop begins, its period and its repeats."""
    period = _period(shape)
    lead = max(0, min(count, (shape.experts.n_leading_dense if shape.experts else 0) - start))
    # One period before the loop and one behind it, so that all inputs are there on both ends; with several devices
    # the last layer's are already there one layer early.
    spare = 2 * period + (period if is_exact else max(period, 2))
    n_again = max(0, (count - lead - spare) // period)
    kept = count - n_again * period
    if not is_exact:
        # Which of two addresses a layer's result has alternates; further repeats change little.
        n_again = min(n_again, 2 - n_again % 2)
    return kept, lead + period, period, n_again


def _period(shape: Shape) -> int:
    """Layers after which the pattern of windows and experts begins anew."""
    if shape.architecture != "llama4":
        return 1
    window = honoured_window(shape)
    return lcm(window.full_every if window else 1, shape.experts.layer_step if shape.experts else 1)


def _layer(shape: Shape, index: int, device: int, where: GraphPlacement, cpu: int) -> LayerPlan:
    experts, window = shape.experts, honoured_window(shape)
    is_windowed = window is not None and (index + 1) % window.full_every != 0
    if experts is None:
        has_experts = False
    elif shape.architecture == "llama4":
        has_experts = (index + 1) % experts.layer_step == 0
    else:
        has_experts = index >= experts.n_leading_dense
    return LayerPlan(
        device=device,
        cache_device=device if where.cache_on_gpu else cpu,
        expert_device=cpu if where.experts_in_ram else device,
        has_experts=has_experts,
        is_windowed=is_windowed,
        uses_rope=is_windowed or shape.architecture != "llama4",
    )
