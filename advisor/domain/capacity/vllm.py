"""vLLM-class engines: paged cache, chunked prefill, layers shared by several GPUs (tensor parallel).

Weights are the original ones in bfloat16, or quantized to FP8 when they are loaded, in which case embedding and output
projection stay as they are (vLLM documentation, Quantization, FP8 W8A8).
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.capacity.engines import BatchConstants, VllmFacts
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts, Unit
from advisor.domain.hardware import GpuSpec
from advisor.domain.kv_cache import kv_cell_bytes
from advisor.domain.model import Shape
from advisor.domain.speed.work import Parts, parts_of, used_share
from advisor.domain.weights import weights

PRECISIONS = ("BF16", "FP8")
_BF16_BYTES = 2
_ALL_REDUCES_PER_LAYER = 2
"""After attention and after the feed-forward block (Megatron-LM, arXiv 1909.08053, section 3)."""


@dataclass(frozen=True, slots=True)
class Group:
    """GPUs that serve one replica."""

    gpu: GpuSpec
    tensor: int
    """GPUs that share every layer."""
    stages: int = 1
    """Nodes that hold a share of the layers each."""
    link_bytes_per_s: float | None = None
    """One direction between two GPUs of a node; None where there is one GPU."""
    network_bytes_per_s: float = 0.0
    hop_s: float = 0.0
    kv_value_bytes: float = 2.0
    """Of one key or value in the cache; 1 for an FP8 cache."""

    @property
    def n_gpus(self) -> int:
        return self.tensor * self.stages


@dataclass(frozen=True, slots=True)
class Sized:
    """Bytes of a model under a precision, by what a token does with them."""

    dense: float
    experts: float
    output: float
    embedding: float
    weight_bytes: float
    """Of one weight in the layers."""

    @property
    def total(self) -> float:
        return self.dense + self.experts + self.output + self.embedding


def sized(shape: Shape, precision: str) -> Sized:
    """The model's bytes. Raises ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}")
    found = weights(shape, "BF16")
    parts: Parts = parts_of(found)
    per_weight = 1 if precision == "FP8" else _BF16_BYTES
    share = per_weight / _BF16_BYTES
    return Sized(
        dense=sum(parts.dense.values()) * share,
        experts=sum(parts.experts.values()) * share,
        output=sum(parts.output.values()),
        embedding=0.0 if found.is_tied else float(found.token_embd_bytes),
        weight_bytes=per_weight,
    )


def kv_token_bytes(shape: Shape, tensor: int = 1, value_bytes: float = 2.0) -> float:
    """Cache bytes of one token over all layers and GPUs; heads are copied where there are fewer than GPUs."""
    # A compressed vector (latent attention) cannot be split, so every GPU holds all of them.
    copies = float(tensor) if shape.latent is not None else max(1.0, tensor / max(1, shape.n_kv_heads))
    return copies * kv_cell_bytes(shape, "f16") * value_bytes / _BF16_BYTES * shape.n_layers


def can_split(shape: Shape, tensor: int) -> bool:
    """Whether vLLM can share the heads over that many GPUs."""
    return shape.n_heads % tensor == 0


def cache_tokens(shape: Shape, precision: str, group: Group, facts: VllmFacts) -> int:
    """Tokens that the paged cache holds beside the weights; 0 or less where the weights leave no room."""
    per_gpu = facts.memory_share * group.gpu.memory_bytes - facts.overhead_bytes
    if group.tensor > 1:
        per_gpu -= facts.shared_bytes
    room = per_gpu * group.n_gpus - sized(shape, precision).total
    return int(room // kv_token_bytes(shape, group.tensor, group.kv_value_bytes))


def limits(shape: Shape, precision: str, group: Group, facts: VllmFacts) -> Limits:
    """What vLLM admits at a time."""
    return Limits(facts.max_sequences, cache_tokens(shape, precision, group, facts), facts.batched_tokens)


def step_costs(
    shape: Shape, precision: str, group: Group, own: BatchConstants, *, depth_tokens: float = 1.0
) -> StepCosts | None:
    """The step of one replica; None where the compute rate of the GPU is unknown.

    `depth_tokens` is the depth around which the cost of the cache is taken to be linear, which matters to windows.
    """
    flops = _flops_per_s(group.gpu, precision)
    if flops is None:
        return None
    unit = _unit(shape, sized(shape, precision), group, own, flops, depth_tokens)
    n_experts, n_used = (shape.experts.n_total, shape.experts.n_used) if shape.experts else (0, 0)
    return StepCosts((unit,), n_experts, n_used, stages=group.stages, hop_s=group.hop_s)


def _flops_per_s(gpu: GpuSpec, precision: str) -> float | None:
    """What one GPU multiplies in the precision, or in half precision where that is all that is known."""
    return (gpu.int8_ops if precision == "FP8" else None) or gpu.fp16_flops


def _unit(
    shape: Shape, found: Sized, group: Group, own: BatchConstants, flops_per_s: float, depth_tokens: float
) -> Unit:
    tensor = group.tensor
    bandwidth = group.gpu.bandwidth_bytes_per_s * tensor
    # Each weight is multiplied and added once per token.
    ops = 2 * ((found.dense + found.experts * used_share(shape)) / found.weight_bytes)
    output_ops = 2 * found.output / _BF16_BYTES
    reduces = _ALL_REDUCES_PER_LAYER * shape.n_layers if tensor > 1 else 0
    sent_s = _sent_s(shape, group, reduces)
    fixed = own.step_s + own.layer_s * shape.n_layers + own.all_reduce_s * reduces
    dense = own.read * (found.dense + found.output) / bandwidth
    experts = own.read * found.experts / bandwidth
    token = own.compute * (ops + output_ops) / (flops_per_s * tensor) + sent_s
    attention_ops = own.prefill * 4 * shape.n_layers * shape.n_heads * shape.head_dim
    return Unit(
        decode_fixed_s=fixed,
        prefill_fixed_s=fixed,
        dense_s=dense,
        experts_s=experts,
        prefill_dense_s=dense,
        prefill_experts_s=experts,
        token_s=token,
        prefill_token_s=own.prefill * ops / (flops_per_s * tensor) + sent_s,
        attention_s=attention_ops / (group.gpu.fp16_flops or flops_per_s) / tensor,
        kv_token_s=_kv_read_share(shape, own) * _kv_slope(shape, depth_tokens, group) / bandwidth,
        single_token_s=token,
    )


def _kv_read_share(shape: Shape, own: BatchConstants) -> float:
    """How often the cache is read: heads that share one key each read it again, in part; a latent is read once."""
    sharing = 0.0 if shape.latent is not None else shape.n_heads / max(1, shape.n_kv_heads) - 1
    return own.kv_read + own.kv_reread * sharing


def _sent_s(shape: Shape, group: Group, reduces: int) -> float:
    """Seconds to send one token's share of all all-reduces: a ring moves 2 (n - 1) / n of the message."""
    if not reduces or not group.link_bytes_per_s:
        return 0.0
    message = _BF16_BYTES * shape.hidden_size
    return reduces * 2 * (group.tensor - 1) / group.tensor * message / group.link_bytes_per_s


def _kv_slope(shape: Shape, depth_tokens: float, group: Group) -> float:
    """Cache bytes read per token in it: layers with a window look no further back than it, which vLLM saves."""
    whole = kv_token_bytes(shape, group.tensor, group.kv_value_bytes)
    window = shape.window
    if window is None or depth_tokens <= window.tokens:
        return whole
    limited = 1.0 if not window.full_every else 1 - 1 / window.full_every
    return whole * (1 - limited + limited * window.tokens / depth_tokens)
