"""The estimate of a candidate's speed where it is placed."""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.fit import Fit
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Placement
from advisor.domain.speed import roofline
from advisor.domain.speed.constants import GpuConstants, SpeedConstants
from advisor.domain.speed.roofline import Prompt, Rates
from advisor.domain.speed.work import Parts, PoolWork, parts_of, pool_work, visited_bytes
from advisor.domain.weights import Weights
from advisor.values import value


@value
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


def estimate_speed(
    model: Model, weights: Weights, fit: Fit, constants: SpeedConstants, *, depth_tokens: int, prompt_tokens: int
) -> Speed | None:
    """Estimate from published figures; None where a pool's bandwidth is unknown and cannot be assumed.

    Raises ValueError for a model without a shape.
    """
    if model.shape is None:
        raise ValueError(f"{model.id} has no shape")
    assumed: list[str] = []
    parts = parts_of(weights)
    works = pool_work(model.shape, fit.placement, fit.pools, depth_tokens)
    prompt = Prompt(max(1, prompt_tokens), 0, fit.placement.ubatch)
    decode_s = decode_seconds(parts, works, model.shape, constants, assumed)
    prefill_s = prefill_seconds(parts, works, model.shape, constants, prompt, assumed)
    if decode_s is None or prefill_s is None:
        return None
    spread, rate = _spread(works, constants), 1.0 / decode_s
    return Speed(
        decode_tokens_per_s=rate,
        prefill_tokens_per_s=prompt.n_tokens / prefill_s,
        ttft_ms=1000.0 * prefill_s,
        low=rate / (1 + spread),
        high=rate * (1 + spread),
        depth_tokens=depth_tokens,
        prompt_tokens=prompt_tokens,
        basis=Basis.ESTIMATED,
        assumed=tuple(dict.fromkeys(assumed)),
    )


def decode_seconds(
    parts: Parts, works: tuple[PoolWork, ...], shape: Shape, constants: SpeedConstants, assumed: list[str]
) -> float | None:
    """Seconds for one token, pool after pool; None where a GPU's bandwidth is unknown."""
    seconds, n_gpus = 0.0, 0
    for work in works:
        if work.pool.kind == "ram":
            cpu = roofline.cpu_constants(constants, work.pool, assumed)
            seconds += roofline.cpu_decode_s(parts, work, shape, cpu, assumed)
            continue
        rates = roofline.gpu_rates(work.pool, constants, [])
        if rates is None:
            return None
        own = roofline.gpu_constants(constants, work.pool.backend)
        seconds += roofline.gpu_decode_s(parts, work, shape, rates, own) + (own.hop_s if n_gpus else 0.0)
        n_gpus += 1
    return seconds


def prefill_seconds(
    parts: Parts,
    works: tuple[PoolWork, ...],
    shape: Shape,
    constants: SpeedConstants,
    prompt: Prompt,
    assumed: list[str],
) -> float | None:
    """Seconds for a prompt; None where a GPU's bandwidth is unknown."""
    on_gpus, in_ram, n_gpus = 0.0, 0.0, 0
    helper: tuple[Rates, GpuConstants] | None = None
    for work in works:
        if work.pool.kind == "ram":
            continue
        rates = roofline.gpu_rates(work.pool, constants, assumed)
        if rates is None:
            return None
        own = roofline.gpu_constants(constants, work.pool.backend)
        on_gpus += roofline.gpu_prefill_s(parts, work, shape, rates, own, prompt)
        n_gpus, helper = n_gpus + 1, helper or (rates, own)
    for work in works:
        if work.pool.kind == "ram":
            in_ram += _ram_prefill_s(parts, work, shape, constants, prompt, helper)
    return on_gpus * roofline.overlap(n_gpus, prompt, constants) + in_ram


def _ram_prefill_s(
    parts: Parts,
    work: PoolWork,
    shape: Shape,
    constants: SpeedConstants,
    prompt: Prompt,
    helper: tuple[Rates, GpuConstants] | None,
) -> float:
    """Layers in system memory: multiplied by a GPU to which each micro-batch sends them, short ones by the processor.

    `advisor.domain.capacity.step` has the same for batches.
    """
    cpu = roofline.cpu_constants(constants, work.pool, [])
    n_sent = roofline.sent_tokens(prompt.n_tokens, prompt.ubatch, constants.sent_from_tokens)
    if helper is None or not n_sent:
        return roofline.cpu_prefill_s(parts, work, shape, cpu, prompt)
    first = Prompt(n_sent, prompt.depth_tokens, prompt.ubatch)
    sent = sum(visited_bytes(parts, work, shape, min(first.ubatch, n_sent)).values())
    seconds = sent * first.n_ubatches / constants.link_bytes_per_s
    seconds += roofline.gpu_prefill_s(parts, work, shape, *helper, first)
    if n_sent < prompt.n_tokens:
        rest = Prompt(prompt.n_tokens - n_sent, prompt.depth_tokens + n_sent, prompt.ubatch)
        seconds += roofline.cpu_prefill_s(parts, work, shape, cpu, rest)
    return seconds


def _spread(works: tuple[PoolWork, ...], constants: SpeedConstants) -> float:
    """The widest of the pools that a token passes."""
    spreads = [
        roofline.cpu_constants(constants, work.pool, []).decode_spread
        if work.pool.kind == "ram"
        else roofline.gpu_constants(constants, work.pool.backend).decode_spread
        for work in works
        if work.n_layers or work.experts
    ]
    return max(spreads)


def placement_kind(placement: Placement, n_layers: int) -> str:
    """`cpu`, `gpu` or `both`: candidates of one kind share a calibration."""
    on_gpu = sum(placement.gpu_layers)
    if not on_gpu:
        return "cpu"
    return "gpu" if on_gpu >= n_layers and not placement.experts_in_ram else "both"
