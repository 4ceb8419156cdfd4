"""llama.cpp's server: parallel slots over one batch, layers split over devices in turn.

The costs are those of `advisor.domain.speed.roofline`, spread over the sequences of a batch: with one sequence and no
prompt a step is its decoded token, with a prompt alone its micro-batches.
"""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts, Unit
from advisor.domain.fit import Fit
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool
from advisor.domain.speed import roofline
from advisor.domain.speed.constants import CpuConstants, GpuConstants, SpeedConstants, type_class
from advisor.domain.speed.roofline import Prompt, Rates, bandwidth_of, rate_of, weights_per_byte
from advisor.domain.speed.work import Parts, PoolWork, TypeBytes, parts_of, pool_work, used_share
from advisor.domain.weights import Weights


def limits(placement: Placement) -> Limits:
    """What the server admits: each slot has its own cells, so the slots are the only limit."""
    return Limits(placement.parallel, None, placement.batch)


def step_costs(
    shape: Shape, weights: Weights, fit: Fit, constants: SpeedConstants, *, depth_tokens: int
) -> StepCosts | None:
    """The step of a placed model; None where a GPU's bandwidth is unknown.

    `depth_tokens` is the depth around which the cost of the cache is taken to be linear, which matters to windows.
    """
    parts = parts_of(weights)
    depth = max(1, depth_tokens)
    units: list[Unit] = []
    works = pool_work(shape, fit.placement, fit.pools, depth)
    helper = next((work.pool for work in works if work.pool.kind == "gpu"), None)
    for work in works:
        if work.pool.kind == "ram":
            unit = _cpu_unit(parts, work, shape, constants.cpu[work.pool.family], depth)
            units.append(unit if helper is None else _sent_to(helper, unit, parts, work, shape, constants, depth))
            continue
        rates = roofline.gpu_rates(work.pool, constants, [])
        if rates is None:
            return None
        own = roofline.gpu_constants(constants, work.pool.backend)
        hop_s = own.hop_s if any(not earlier.overlaps for earlier in units) else 0.0
        units.append(_gpu_unit(parts, work, shape, rates, own, depth, hop_s))
    experts = shape.experts
    return StepCosts(
        units=tuple(units),
        n_experts=experts.n_total if experts else 0,
        n_experts_used=experts.n_used if experts else 0,
        ubatch=fit.placement.ubatch,
        sent_from_tokens=constants.sent_from_tokens,
    )


def _gpu_unit(
    parts: Parts, work: PoolWork, shape: Shape, rates: Rates, own: GpuConstants, depth: int, hop_s: float
) -> Unit:
    dense, experts, output = _held(parts, work)
    stall = own.stall_hbm_s_per_byte if rates.stacked_memory else own.stall_s_per_byte
    per_byte = own.read / rates.bandwidth + stall
    # A micro-batch with prompt tokens reads no faster than one without.
    prefill_per_byte = max(per_byte, own.prefill_read / rates.bandwidth)
    mixture = own.prefill_experts if shape.experts is not None else 1.0
    used = used_share(shape)
    layers_s = sum(
        own.prefill[type_class(name)] * mixture * 2 * n * weights_per_byte(name) / rates.flops
        for name, n in _visited(dense, experts, used).items()
    )
    output_s = sum(
        own.prefill[type_class(name)] * 2 * n * weights_per_byte(name) / rates.flops for name, n in output.items()
    )
    single_s = sum(
        own.decode_ops.get(type_class(name), 0.0) * n * weights_per_byte(name) / rates.flops
        for name, n in _visited(dense, experts, used, output).items()
    )
    dense_bytes, expert_bytes = sum(dense.values()), sum(experts.values())
    fixed = work.n_layers * own.layer_s + hop_s
    return Unit(
        decode_fixed_s=fixed,
        prefill_fixed_s=max(fixed, work.n_layers * own.prefill_layer_s),
        dense_s=(dense_bytes + sum(output.values())) * per_byte,
        experts_s=expert_bytes * per_byte,
        prefill_dense_s=(dense_bytes + sum(output.values())) * prefill_per_byte,
        prefill_experts_s=expert_bytes * prefill_per_byte,
        token_s=layers_s + output_s,
        prefill_token_s=layers_s,
        attention_s=own.attention * _attention_ops(shape, work, depth) / rates.flops,
        kv_token_s=work.kv_bytes / depth * own.kv_read / rates.bandwidth,
        single_token_s=single_s,
    )


def _sent_to(
    helper: Pool, unit: Unit, parts: Parts, work: PoolWork, shape: Shape, constants: SpeedConstants, depth: int
) -> Unit:
    """A processor's share, and what it costs where a GPU multiplies it, to which each micro-batch sends the weights."""
    rates = roofline.gpu_rates(helper, constants, [])
    if rates is None:
        return unit
    own = roofline.gpu_constants(constants, helper.backend)
    on_gpu = _gpu_unit(parts, work, shape, rates, own, depth, 0.0)
    dense, experts, _ = _held(parts, work)
    per_byte = 1 / constants.link_bytes_per_s + own.prefill_read / rates.bandwidth
    sent = replace(
        on_gpu,
        prefill_fixed_s=work.n_layers * own.prefill_layer_s,
        prefill_dense_s=sum(dense.values()) * per_byte,
        prefill_experts_s=sum(experts.values()) * per_byte,
    )
    return replace(unit, sent=sent)


def _cpu_unit(parts: Parts, work: PoolWork, shape: Shape, own: CpuConstants, depth: int) -> Unit:
    dense, experts, output = _held(parts, work)
    cores = max(1, work.pool.cores)
    memory = own.read_share * bandwidth_of(work.pool, own, [])
    used = used_share(shape)

    def read(held: TypeBytes) -> float:
        return sum(max(n / memory, n / (cores * rate_of(own.core_read_bytes_per_s, name))) for name, n in held.items())

    def multiply(held: TypeBytes) -> float:
        return sum(2 * n * weights_per_byte(name) / (cores * rate_of(own.core_flops, name)) for name, n in held.items())

    layers_s = multiply(_visited(dense, experts, used))
    kv_s = max(1 / memory, roofline.heads_of_a_cell(shape) / (cores * own.core_cache_bytes_per_s))
    sync_s = work.n_layers * cores * own.sync_s
    return Unit(
        decode_fixed_s=sync_s,
        prefill_fixed_s=sync_s,
        dense_s=read(dense) + read(output),
        experts_s=read(experts),
        prefill_dense_s=read(dense),
        prefill_experts_s=read(experts),
        token_s=layers_s + multiply(output),
        prefill_token_s=layers_s,
        attention_s=_attention_ops(shape, work, depth) / (cores * own.attention_flops),
        kv_token_s=kv_s * work.kv_bytes / depth,
        overlaps=True,
    )


def _held(parts: Parts, work: PoolWork) -> tuple[TypeBytes, TypeBytes, TypeBytes]:
    """Dense weights, all routed experts and output projection that lie in a pool."""
    dense = {name: n * work.dense for name, n in parts.dense.items()}
    experts = {name: n * work.experts for name, n in parts.experts.items()}
    return dense, experts, dict(parts.output) if work.has_output else {}


def _visited(dense: TypeBytes, experts: TypeBytes, used: float, output: TypeBytes | None = None) -> TypeBytes:
    """What one token is multiplied with."""
    found = dict(dense)
    for name, n in experts.items():
        found[name] = found.get(name, 0.0) + n * used
    for name, n in (output or {}).items():
        found[name] = found.get(name, 0.0) + n
    return found


def _attention_ops(shape: Shape, work: PoolWork, depth: int) -> float:
    """Operations per prompt token and token that it looks back on, in a prompt of that depth."""
    return roofline.attention_ops(work, shape, Prompt(depth)) / (depth * depth / 2)
