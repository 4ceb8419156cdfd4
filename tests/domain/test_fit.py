from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from advisor.domain.fit import closest_way, ways_to_run
from advisor.domain.model import Experts
from advisor.domain.placement import Pool, cpu_placement, with_gpu_layers
from advisor.domain.pools import CONTEXT_BYTES, memory_pools
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_70B, MISTRAL_7B, constraints, figures, gpu, machine


def pools_of(ram: int, *vram: int, unified: bool = False):  # type: ignore[no-untyped-def]
    found = machine(ram, *(gpu(v, index=i, unified=unified) for i, v in enumerate(vram)))
    return memory_pools(found, constraints().machine, figures(found, None))


def test_a_model_that_fits_on_the_gpu_goes_there_whole() -> None:
    pools = pools_of(32 * GIB, 24 * GIB)
    ways = ways_to_run(MISTRAL_7B, weights(MISTRAL_7B, "Q4_K_M"), cpu_placement(8192, n_gpus=1), pools, allow_cpu=True)
    assert ways[0].placement.n_gpu_layers == 33
    assert ways[-1].placement.n_gpu_layers == 0


def test_as_many_layers_as_fit_are_offloaded() -> None:
    pools = pools_of(64 * GIB, 24 * GIB)
    held = weights(LLAMA_70B, "Q4_K_M")
    ways = ways_to_run(LLAMA_70B, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=True)
    best = ways[0]
    layers = sum(best.placement.gpu_layers)
    assert 0 < layers < 80
    assert best.fits
    one_more = replace(best.placement, gpu_layers=(layers + 1,))
    from advisor.domain.footprint import footprint

    assert footprint(LLAMA_70B, held, one_more, ("GPU0",)).devices[1].total_bytes > pools[1].budget_bytes


def test_without_cpu_nothing_is_split() -> None:
    pools = pools_of(64 * GIB, 24 * GIB)
    held = weights(LLAMA_70B, "Q4_K_M")
    assert ways_to_run(LLAMA_70B, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=False) == ()
    closest = closest_way(LLAMA_70B, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=False)
    assert closest is not None
    assert closest.shortfalls[1] > 0


@given(st.integers(1, 40), st.sampled_from([(), (8,), (24,)]), st.sampled_from([2048, 32768, 131072]))
def test_memory_that_is_said_to_be_missing_is_enough_and_less_is_not(
    ram: int, vram: tuple[int, ...], context: int
) -> None:
    pools = pools_of(ram * GIB, *(v * GIB for v in vram))
    held, base = weights(LLAMA_70B, "Q4_K_M"), cpu_placement(context, n_gpus=len(vram))
    assume(not ways_to_run(LLAMA_70B, held, base, pools, allow_cpu=True))
    closest = closest_way(LLAMA_70B, held, base, pools, allow_cpu=True)
    assert closest is not None

    def more(share: float) -> tuple[Pool, ...]:
        pairs = zip(pools, closest.shortfalls, strict=True)
        return tuple(replace(p, budget_bytes=p.budget_bytes + int(share * missing)) for p, missing in pairs)

    assert ways_to_run(LLAMA_70B, held, base, more(1.0), allow_cpu=True)
    assert ways_to_run(LLAMA_70B, held, base, more(0.9), allow_cpu=True) == ()


def test_experts_can_stay_in_ram() -> None:
    mixtral = replace(MISTRAL_7B, experts=Experts(8, 2, 0, 14336))
    pools = pools_of(64 * GIB, 12 * GIB)
    held = weights(mixtral, "Q4_K_M")
    ways = ways_to_run(mixtral, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=True)
    assert any(way.placement.experts_in_ram and way.placement.n_gpu_layers == 33 for way in ways)


def test_unified_memory_counts_once() -> None:
    pools = pools_of(16 * GIB, 16 * GIB, unified=True)
    held = weights(MISTRAL_7B, "F16")
    base = cpu_placement(8192, n_gpus=1)
    assert ways_to_run(MISTRAL_7B, held, base, pools, allow_cpu=True) == ()


def test_memory_that_is_taken_now_is_told_but_does_not_exclude() -> None:
    found = machine(24 * GIB, available=2 * GIB)
    pools = memory_pools(found, constraints().machine, figures(found))
    held = weights(MISTRAL_7B, "Q4_K_M")
    (way,) = ways_to_run(MISTRAL_7B, held, cpu_placement(8192), pools, allow_cpu=True)
    assert way.missing_now() == way.footprint.total_bytes - 2 * GIB


def test_what_a_gpu_takes_of_the_systems_memory_must_be_free_there() -> None:
    found = machine(24 * GIB, gpu(24 * GIB, unified=True), available=2 * GIB)
    pools = memory_pools(found, constraints().machine, figures(found, None))
    held = weights(MISTRAL_7B, "Q4_K_M")
    way = ways_to_run(MISTRAL_7B, held, cpu_placement(8192, n_gpus=1), pools, allow_cpu=True)[0]
    assert way.placement.n_gpu_layers == 33
    assert way.missing_now() == way.footprint.total_bytes - 2 * GIB


def test_gpus_without_an_engine_that_can_use_them_are_no_pools() -> None:
    found = machine(24 * GIB, gpu(24 * GIB), gpu_offload=False)
    assert len(memory_pools(found, constraints().machine, figures(found))) == 1


@given(st.integers(1, 400), st.lists(st.integers(1, 100), max_size=4), st.sampled_from(["Q2_K", "Q4_K_M", "Q8_0"]))
def test_every_way_offered_fits_into_every_budget(ram: int, vram: list[int], quantization: str) -> None:
    pools = pools_of(ram * GIB, *(v * GIB for v in vram))
    held = weights(LLAMA_70B, quantization)
    base = cpu_placement(8192, n_gpus=len(vram))
    for way in ways_to_run(LLAMA_70B, held, base, pools, allow_cpu=True):
        for device, pool in zip(way.footprint.devices, way.pools, strict=True):
            assert device.total_bytes <= pool.budget_bytes


def test_the_driver_takes_its_share_of_every_gpu() -> None:
    (_, card) = pools_of(32 * GIB, 24 * GIB)
    assert card.budget_bytes == 24 * GIB - constraints().machine.reserve_vram_bytes - CONTEXT_BYTES["cuda"]


@given(st.integers(1, 130), st.lists(st.integers(0, 1 << 40), min_size=1, max_size=8))
def test_layers_are_shared_out_as_llama_cpp_does(on_gpu: int, budgets: list[int]) -> None:
    """`load_tensors` of src/llama-model.cpp: a layer goes to the first GPU whose share ends behind it."""
    weights_ = budgets if any(budgets) else [1] * len(budgets)
    ends = [sum(weights_[: i + 1]) for i in range(len(weights_))]
    whole, slots = ends[-1], on_gpu + 1
    places = [next(i for i, end in enumerate(ends) if end * slots > layer * whole) for layer in range(on_gpu)]
    found = with_gpu_layers(cpu_placement(512), on_gpu, tuple(budgets))
    assert found.gpu_layers == tuple(places.count(i) for i in range(len(budgets)))
    assert found.n_gpu_layers == slots
