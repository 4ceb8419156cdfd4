from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.fit import closest_way, ways_to_run
from advisor.domain.model import Experts
from advisor.domain.placement import cpu_placement
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
