"""The constants of the speed estimates, as `knowledge/speed.toml` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Literal

from advisor.domain.hardware import CpuFamily
from advisor.values import value

TypeClass = Literal["float", "legacy", "k", "low"]

_LOW = frozenset({"Q2_K", "Q3_K", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0"})
_FLOAT = frozenset({"F32", "F16", "BF16"})
_K = frozenset({"Q4_K", "Q5_K", "Q6_K"})


@cache
def type_class(ggml_type: str) -> TypeClass:
    """Types whose kernels cost a GPU about the same: floats, plain blocks, K-quants of 4 to 6 bits, the smaller."""
    if ggml_type in _FLOAT:
        return "float"
    if ggml_type in _K:
        return "k"
    small = ggml_type in _LOW or (ggml_type.startswith("IQ") and not ggml_type.startswith("IQ4"))
    return "low" if small else "legacy"


@value
class GpuConstants:
    """One back end's. A time is the sum of its terms, so each constant is what one unit of work costs."""

    read: float
    """Times that a weight's bytes count at the published bandwidth; 1 would be the peak."""
    kv_read: float
    """The same for the KV cache under flash attention."""
    stall_s_per_byte: float
    """Seconds per byte of weights that no bandwidth takes away."""
    stall_hbm_s_per_byte: float
    """The same on cards with stacked memory, which one request cannot keep busy."""
    decode_ops: Mapping[TypeClass, float]
    """Operations per weight that decoding one token costs, at the published half-precision rate."""
    layer_s: float
    """Seconds per layer and token: starting kernels, waiting for them."""
    hop_s: float
    """Seconds per token for each further GPU that the layers are split over."""
    prefill: Mapping[TypeClass, float]
    """Times that the multiplications of a prompt count at the published compute rate."""
    prefill_experts: float
    """The same again for a mixture of experts, whose multiplications are small."""
    prefill_read: float
    """Times that a weight's bytes count for each micro-batch of a prompt, at the published bandwidth."""
    attention: float
    """Times that the operations of attention over a prompt count."""
    prefill_layer_s: float
    """Seconds per layer and micro-batch."""
    decode_spread: float
    """Four in five published rates lie within this share of the estimate made without their GPU."""


@value
class CpuConstants:
    """One family's. A processor reads weights as fast as its memory or its cores decode them, whichever is slower."""

    read_share: float
    """Share of the peak memory bandwidth that enough cores reach."""
    unknown_bandwidth_bytes_per_s: float
    """Assumed for a processor that the catalogue does not know."""
    core_read_bytes_per_s: Mapping[str, float]
    """Bytes of weights that one core decodes, by ggml type."""
    core_flops: Mapping[str, float]
    """Operations per second of one core on a prompt, by ggml type."""
    core_cache_bytes_per_s: float
    """Bytes of the KV cache that one core attends to, counted once for each head that looks at them."""
    sync_s: float
    """Seconds per layer, token and core that threads wait for each other."""
    attention_flops: float
    """Operations per second of one core in attention over a prompt."""
    decode_spread: float
    """Four in five published rates lie within this share of the estimate made without their processor."""


def cautious(one: CpuConstants, other: CpuConstants) -> CpuConstants:
    """For a processor of an unknown family: of every rate the slower, for types that both have."""
    return replace(
        one,
        read_share=min(one.read_share, other.read_share),
        unknown_bandwidth_bytes_per_s=min(one.unknown_bandwidth_bytes_per_s, other.unknown_bandwidth_bytes_per_s),
        core_read_bytes_per_s=_slower(one.core_read_bytes_per_s, other.core_read_bytes_per_s),
        core_flops=_slower(one.core_flops, other.core_flops),
        core_cache_bytes_per_s=min(one.core_cache_bytes_per_s, other.core_cache_bytes_per_s),
        sync_s=max(one.sync_s, other.sync_s),
        attention_flops=min(one.attention_flops, other.attention_flops),
        decode_spread=max(one.decode_spread, other.decode_spread),
    )


def _slower(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: min(rate, other[name]) for name, rate in one.items() if name in other}


@value
class SpeedConstants:
    """All of them, with those that no back end and no family has for itself."""

    gpu: Mapping[str, GpuConstants]
    """By back end; a back end that is missing is estimated as `vulkan`."""
    cpu: Mapping[CpuFamily, CpuConstants]
    """By family, the unknown one included."""
    unknown_flops_per_byte: float
    """Operations per byte of bandwidth assumed for a GPU whose compute rate is unknown."""
    pipelining: float
    """Share of the ideal overlap that micro-batches reach on several GPUs."""
    link_bytes_per_s: float
    """At which weights in system memory reach a GPU that multiplies them with a prompt."""
    sent_from_tokens: int
    """Micro-batches of fewer tokens are multiplied where the weights are."""
