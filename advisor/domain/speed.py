"""How fast a placed candidate runs, from the bytes it reads and the operations it does.

Decoding a token reads the weights that it touches and the KV cache up to its depth, so it takes
`bytes / (efficiency * bandwidth) + fixed` on each pool in turn. Reading a prompt is bound by operations instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.basis import Basis
from advisor.domain.fit import Fit
from advisor.domain.footprint import kv_layer_bytes
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Pool
from advisor.domain.weights import Weights

GPU_EFFICIENCY = 0.84
GPU_FIXED_S = 0.0015
"""Least squares over 67 published llama.cpp decode rates on 11 GPUs of 24B parameters or less, with a median error of
4 % in the sample and 7 % on GPUs left out."""

GPU_PREFILL_EFFICIENCY = 0.40
"""Share of the dense half-precision peak that llama.cpp's prompt processing reaches; published llama-bench rates of
7B to 8B models on recent NVIDIA cards lie between 0.3 and 0.5."""

CPU_BANDWIDTH_EFFICIENCY = 0.60
"""Share of the peak memory bandwidth that decoding on a processor reaches when enough cores read: llama-bench rates
of a 7B model give 0.57 on a Ryzen 9 7940HS and 0.64 on a Core i9-13900K."""

CPU_READ_BYTES_PER_CORE = 15e9
"""Bytes of 4-bit K-quant weights that one core decodes per second, which bounds few cores: 16 GB/s on a 2-core EPYC
server with AVX2, 19 GB/s on a core of an Apple M2 Max."""

CPU_FLOPS_PER_CORE = 60e9
"""Operations per second of one core in llama.cpp's multiplication of quantized matrices: published prompt speeds give
30e9 on a large server to 100e9 on a Ryzen 9 7940HS."""

CPU_UNKNOWN_BANDWIDTH = 51.2e9
"""Assumed for a processor that the catalogue does not know: two channels of DDR4-3200."""

SPREAD = {"cpu": 0.5, "gpu": 0.25}
"""Half-width of the interval around an estimate, as a share of it: four in five published rates lie inside for GPUs;
processors differ more and nothing was measured yet."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Speeds of one request that has the machine to itself."""

    decode_tokens_per_s: float
    prefill_tokens_per_s: float
    ttft_ms: float
    """Time to the first token of a prompt of `prompt_tokens`."""
    low: float
    high: float
    """Bounds of the decode speed, in tokens per second."""
    depth_tokens: int
    """Tokens in the cache at which the decode speed holds."""
    prompt_tokens: int
    basis: Basis
    assumed: tuple[str, ...]
    """What had to be assumed because it is unknown."""


def estimate_speed(model: Model, weights: Weights, fit: Fit, *, depth_tokens: int, prompt_tokens: int) -> Speed | None:
    """Estimate from published figures; None where a pool's bandwidth is unknown and cannot be assumed.

    Raises ValueError for a model without a shape.
    """
    if model.shape is None:
        raise ValueError(f"{model.id} has no shape")
    assumed: list[str] = []
    decode_s = 0.0
    prefill_s_per_token = 0.0
    for share in _work(model.shape, weights, fit, depth_tokens):
        if not share.read_bytes:
            continue
        decode = _decode_seconds(share, assumed)
        prefill = _prefill_seconds_per_token(share, assumed)
        if decode is None or prefill is None:
            return None
        decode_s += decode
        prefill_s_per_token += prefill
    spread = SPREAD["cpu" if _touches_cpu(fit, model.shape) else "gpu"]
    rate = 1.0 / decode_s
    return Speed(
        decode_tokens_per_s=rate,
        prefill_tokens_per_s=1.0 / prefill_s_per_token,
        ttft_ms=1000.0 * (prompt_tokens * prefill_s_per_token + decode_s),
        low=rate * (1 - spread),
        high=rate * (1 + spread),
        depth_tokens=depth_tokens,
        prompt_tokens=prompt_tokens,
        basis=Basis.ESTIMATED,
        assumed=tuple(dict.fromkeys(assumed)),
    )


@dataclass(frozen=True, slots=True)
class _Share:
    pool: Pool
    read_bytes: float
    """Weights and cache that one decoded token reads from the pool."""
    params: float
    """Weights, as parameters, that each prompt token is multiplied with."""


def _touches_cpu(fit: Fit, shape: Shape) -> bool:
    return fit.placement.experts_in_ram or sum(fit.placement.gpu_layers) < shape.n_layers


def _work(shape: Shape, weights: Weights, fit: Fit, depth_tokens: int) -> list[_Share]:
    """What each pool contributes to one token. Experts count by the share of them that a token visits."""
    placement = fit.placement
    visited = shape.experts.n_used / shape.experts.n_total if shape.experts else 1.0
    filled = min(1.0, depth_tokens / max(1, placement.context_tokens))
    counts = placement.gpu_layers
    if placement.experts_in_ram or sum(map(bool, (shape.n_layers - sum(counts), *counts))) > 1:
        touched, reads = _split_work(shape, weights, fit, visited)
    else:
        touched, reads = _whole_work(shape, weights, fit, visited)
    touched[len(fit.pools) - 1 if placement.output_on_gpu else 0] += weights.output_bytes
    bytes_per_param = weights.total_bytes / weights.n_elements
    return [
        _Share(pool, read * filled + weight, weight / bytes_per_param)
        for pool, read, weight in zip(fit.pools, reads, touched, strict=True)
    ]


def _whole_work(shape: Shape, weights: Weights, fit: Fit, visited: float) -> tuple[list[float], list[float]]:
    """Weights touched and cache per pool where one pool holds every layer."""
    pool = next((i for i, n in enumerate(fit.placement.gpu_layers, start=1) if n), 0)
    outside = weights.output_bytes + (0 if weights.is_tied else weights.token_embd_bytes)
    touched, reads = [0.0] * len(fit.pools), [0.0] * len(fit.pools)
    touched[pool] = weights.total_bytes - outside - (1 - visited) * weights.expert_bytes
    reads[pool] = sum(kv_layer_bytes(shape, fit.placement))
    return touched, reads


def _split_work(shape: Shape, weights: Weights, fit: Fit, visited: float) -> tuple[list[float], list[float]]:
    """The same, layer by layer, where several pools hold some."""
    layers, dense = weights.layer_bytes(), weights.layer_bytes(without_experts=True)
    kv = kv_layer_bytes(shape, fit.placement)
    touched, reads = [0.0] * len(fit.pools), [0.0] * len(fit.pools)
    for i, pool in enumerate(_layer_pools(fit, shape.n_layers)):
        touched[pool] += dense[i]
        touched[0 if fit.placement.experts_in_ram else pool] += (layers[i] - dense[i]) * visited
        reads[pool] += kv[i]
    return touched, reads


def _layer_pools(fit: Fit, n_layers: int) -> list[int]:
    """Index of the pool of each layer: the first layers in system memory, the others on the GPUs in order."""
    counts = fit.placement.gpu_layers
    pools = [0] * (n_layers - sum(counts))
    for i, n in enumerate(counts, start=1):
        pools += [i] * n
    return pools


def _decode_seconds(share: _Share, assumed: list[str]) -> float | None:
    pool = share.pool
    if pool.kind == "gpu":
        if pool.bandwidth_bytes_per_s is None:
            return None
        return share.read_bytes / (GPU_EFFICIENCY * pool.bandwidth_bytes_per_s) + GPU_FIXED_S
    return share.read_bytes / cpu_read_rate(pool, assumed)


def cpu_read_rate(pool: Pool, assumed: list[str]) -> float:
    """Bytes per second that a processor decodes, bound by its memory or by its cores."""
    bandwidth = pool.bandwidth_bytes_per_s
    if bandwidth is None:
        assumed.append(f"memory bandwidth unknown, {CPU_UNKNOWN_BANDWIDTH / 1e9:g} GB/s assumed")
        bandwidth = CPU_UNKNOWN_BANDWIDTH
    return min(CPU_BANDWIDTH_EFFICIENCY * bandwidth, max(1, pool.cores) * CPU_READ_BYTES_PER_CORE)


def _prefill_seconds_per_token(share: _Share, assumed: list[str]) -> float | None:
    operations = 2 * share.params
    pool = share.pool
    if pool.kind == "ram":
        return operations / (max(1, pool.cores) * CPU_FLOPS_PER_CORE)
    if pool.flops is None:
        if pool.bandwidth_bytes_per_s is None:
            return None
        # Between recent GPUs, half-precision peak is around 100 operations per byte of bandwidth.
        assumed.append(f"{pool.name}: compute rate unknown, 100 operations per byte of bandwidth assumed")
        return operations / (GPU_PREFILL_EFFICIENCY * 100 * pool.bandwidth_bytes_per_s)
    return operations / (GPU_PREFILL_EFFICIENCY * pool.flops)
