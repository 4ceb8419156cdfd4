"""The benchmark of the processor's types, and the fit that takes its figures."""

from __future__ import annotations

import math

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.domain.ggml import GGML_TYPES
from advisor.domain.weights import weights
from advisor.errors import AdvisorError
from advisor.paths import knowledge_dir
from benchmarks.cpu_rates import Attention, Sample, fit_cpu, left_out_errors
from benchmarks.processor_types import IN_CACHE, IN_MEMORY, in_cache, table
from benchmarks.type_rates import TIMED_TYPES, TypeRate, read_type_rates
from tests.builders import LLAMA_3_8B

ATTENTION = Attention(8e9, 20e9)
READS = {"Q8_0": 20e9, "Q4_K": 22e9, "Q5_K": 17e9, "IQ3_S": 5e9}


def reading(device: str, name: str, bytes_per_s: float) -> Sample:
    return Sample(device, name, lambda own: math.log(bytes_per_s / own.core_read_bytes_per_s[name]))


def computing(device: str, name: str, ops_per_s: float) -> Sample:
    return Sample(device, name, lambda own: math.log(ops_per_s / own.core_flops[name]))


def test_every_type_of_an_offered_file_is_timed() -> None:
    for quantization in load_catalogue(knowledge_dir()).quantizations.values():
        if quantization.offered:
            held = {kind.name for group in weights(LLAMA_3_8B, quantization.name).groups for kind in group.types}
            assert held <= set(TIMED_TYPES)


def test_a_type_is_really_run_and_its_rate_is_that_of_a_processor() -> None:
    (rate,) = in_cache([GGML_TYPES["Q4_0"]], seconds=1.0)
    assert (rate.place, rate.threads, rate.ggml_type) == ("cache", 1, "Q4_0")
    assert 1e8 < rate.decode < 1e12
    assert 1e9 < rate.prefill < 1e13


def test_all_matrices_of_a_timed_model_have_the_one_type() -> None:
    for bench in (IN_MEMORY, IN_CACHE):
        blueprint = bench.blueprint(GGML_TYPES["IQ3_S"], 2)
        matrices = [tensor for tensor in blueprint.tensors if len(tensor.shape) > 1]
        assert matrices
        assert {tensor.ggml_type.name for tensor in matrices} == {"IQ3_S"}
        own = sum(math.prod(tensor.shape) for tensor in matrices if tensor.name.startswith("blk.0."))
        assert own == bench.layer_weights()


def test_a_table_leaves_out_what_was_not_timed() -> None:
    rates = [TypeRate("memory", 1, "F16", 28e9, 90e9), TypeRate("memory", 1, "Q4_0", 19e9, 131e9)]
    lines = table([*rates, TypeRate("cache", 1, "Q4_0", 20e9, 130e9)]).splitlines()
    assert lines[2] == "| F16 | 28.0 | 90 |  |  |"
    assert lines[3] == "| Q4_0 | 19.0 | 131 | 20.0 | 130 |"


def test_the_committed_figures_cover_every_type_with_one_thread_and_with_all() -> None:
    for processor in {rate.processor for rate in read_type_rates()}:
        own = [rate for rate in read_type_rates() if rate.processor == processor and rate.place == "memory"]
        for n_threads in {rate.threads for rate in own}:
            assert {rate.ggml_type for rate in own if rate.threads == n_threads} == set(TIMED_TYPES)
        assert len({rate.threads for rate in own}) >= 1


@pytest.mark.parametrize("pace", [1.0, 1.5, 3.0])
def test_a_processor_that_is_faster_all_over_does_not_change_the_order_of_the_types(pace: float) -> None:
    """The faster one was timed with half of the types only, which a plain mean would favour."""
    slow = [reading("slow", name, rate) for name, rate in READS.items()]
    fast = [reading("fast", name, pace * READS[name]) for name in ("Q5_K", "IQ3_S")]
    prompts = [computing(device, "Q8_0", 1e11) for device in ("slow", "fast")]
    found = fit_cpu([*slow, *fast], prompts, ATTENTION).core_read_bytes_per_s
    level = found["Q8_0"] / READS["Q8_0"]
    for name, rate in READS.items():
        assert found[name] / rate == pytest.approx(level, rel=0.05)
    assert 0.95 < level < 1.05 * pace


def test_a_processor_that_is_left_out_has_no_part_in_what_predicts_it() -> None:
    samples = [reading("one", "Q8_0", 20e9), reading("two", "Q8_0", 20e9), reading("odd", "Q8_0", 40e9)]
    prompts = [computing("one", "Q8_0", 1e11)]
    errors = left_out_errors(samples, lambda others: fit_cpu(others, prompts, ATTENTION))
    assert errors["odd"] == [pytest.approx(-0.5, abs=0.02)]


def test_types_that_only_the_left_out_processor_tells_about_are_not_predicted() -> None:
    samples = [reading("one", "Q8_0", 20e9), reading("two", "Q8_0", 20e9), reading("two", "Q2_K", 9e9)]
    errors = left_out_errors(samples, lambda others: fit_cpu(others, [], ATTENTION))
    assert [len(errors[name]) for name in ("one", "two")] == [1, 1]


def test_more_layers_in_less_time_are_no_rate() -> None:
    from benchmarks.processor_types import _positive

    with pytest.raises(AdvisorError, match="less time"):
        _positive(-1e-6)
