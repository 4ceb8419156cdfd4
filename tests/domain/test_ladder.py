from __future__ import annotations

from dataclasses import replace
from functools import partial

from advisor.domain.fit import QUANTIZED_CACHE_NOTE, ways_to_run
from advisor.domain.footprint import footprint
from advisor.domain.ladder import MOST_SLOTS, Memories, best_quantization, ladder, longest_context, most_slots
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.weights import weights
from advisor.units import GIB
from tests.builders import LLAMA_70B, MISTRAL_7B

HELD = weights(MISTRAL_7B, "Q4_K_M")


def memories(ram: float, *gpus: float) -> Memories:
    pools = [Pool("RAM", "ram", int(ram * GIB), None, None, None, "cpu")]
    pools += [Pool(f"GPU{i}", "gpu", int(n * GIB), None, None, None, "cuda") for i, n in enumerate(gpus)]
    return Memories(tuple(pools), allow_cpu=True)


def test_one_step_beyond_the_longest_context_does_not_fit() -> None:
    machine = memories(7)
    found = longest_context(MISTRAL_7B, HELD, cpu_placement(8192), machine, None)
    assert found is not None
    small = replace(cpu_placement(found), ubatch=128)
    assert footprint(MISTRAL_7B, HELD, small, ()).total_bytes <= 7 * GIB
    beyond = replace(small, context_tokens=found + 256)
    assert footprint(MISTRAL_7B, HELD, beyond, ()).total_bytes > 7 * GIB


def test_the_context_ends_where_the_model_does() -> None:
    assert longest_context(MISTRAL_7B, HELD, cpu_placement(8192), memories(64), 32768) == 32768
    assert longest_context(MISTRAL_7B, HELD, cpu_placement(8192), memories(2), 32768) is None


def test_the_first_quantization_that_fits_is_the_best() -> None:
    names = ("F16", "Q8_0", "Q4_K_M", "Q2_K")
    options = [(name, partial(weights, MISTRAL_7B, name)) for name in names]
    base = cpu_placement(8192)
    assert best_quantization(MISTRAL_7B, base, memories(32), options) == "F16"
    assert best_quantization(MISTRAL_7B, base, memories(9), options) == "Q8_0"
    assert best_quantization(MISTRAL_7B, base, memories(1), options) is None


def test_slots_are_counted_with_the_context_of_one() -> None:
    found = most_slots(MISTRAL_7B, HELD, cpu_placement(8192), memories(9))
    assert found == 4
    assert most_slots(MISTRAL_7B, HELD, cpu_placement(256), memories(500)) == MOST_SLOTS


def test_a_ladder_without_room_has_no_rungs() -> None:
    found = ladder(MISTRAL_7B, HELD, cpu_placement(8192), memories(1), most_context_tokens=32768)
    assert (found.context_tokens, found.quantization, found.slots) == (None, None, None)


def test_a_smaller_micro_batch_comes_before_a_quantized_cache() -> None:
    need = footprint(MISTRAL_7B, HELD, cpu_placement(8192), ()).total_bytes / GIB
    (way,) = ways_to_run(MISTRAL_7B, HELD, cpu_placement(8192), memories(need - 0.05).pools, allow_cpu=True)
    assert (way.placement.ubatch, way.placement.kv_type, way.notes) == (128, "f16", ())


def test_a_quantized_cache_is_the_last_resort_and_is_told() -> None:
    need = footprint(MISTRAL_7B, HELD, cpu_placement(8192), ()).total_bytes / GIB
    (way,) = ways_to_run(MISTRAL_7B, HELD, cpu_placement(8192), memories(need - 0.4).pools, allow_cpu=True)
    assert (way.placement.kv_type, way.notes) == ("q8_0", (QUANTIZED_CACHE_NOTE,))
    assert ways_to_run(MISTRAL_7B, HELD, cpu_placement(8192), memories(need - 0.8).pools, allow_cpu=True) == ()


def test_no_layer_more_would_have_fitted_on_the_gpus() -> None:
    held = weights(LLAMA_70B, "Q4_K_M")
    machine = memories(64, 24, 24)
    base = replace(cpu_placement(32768), gpu_layers=(0, 0))
    best = ways_to_run(LLAMA_70B, held, base, machine.pools, allow_cpu=True)[0]
    layers = sum(best.placement.gpu_layers)
    assert 0 < layers < 80
    for device, pool in zip(best.footprint.devices, machine.pools, strict=True):
        assert device.total_bytes <= pool.budget_bytes
    fuller = replace(best.placement, gpu_layers=(best.placement.gpu_layers[0] + 1, best.placement.gpu_layers[1] + 1))
    beyond = footprint(LLAMA_70B, held, fuller, ("GPU0", "GPU1"))
    assert any(d.total_bytes > p.budget_bytes for d, p in zip(beyond.devices[1:], machine.pools[1:], strict=True))
