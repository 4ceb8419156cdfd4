from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.basis import Basis
from advisor.domain.model import Shape
from advisor.domain.slices import slice_blueprint
from advisor.domain.speed.slicing import (
    ALWAYS_BYTES,
    SLICE_SPREAD,
    Slice,
    SlicePlan,
    Timed,
    budget_bytes,
    extrapolation,
    measured_speed,
    plan_slices,
    together,
)
from advisor.domain.weights import blueprint
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B, model


def size_of(quantization: str, shape: Shape = LLAMA_3_8B) -> Callable[[Slice], int]:
    found = model(shape=shape)
    return lambda piece: (
        slice_blueprint(found, quantization, piece.n_layers, piece.vocab_size, is_narrow=piece.is_narrow).tensor_bytes
    )


@pytest.mark.parametrize("quantization", ["Q4_K_M", "Q8_0", "IQ2_M"])
def test_slices_take_a_quarter_of_the_model_at_most(quantization: str) -> None:
    size = size_of(quantization)
    whole = blueprint(model(shape=LLAMA_3_8B), quantization).tensor_bytes
    plan = plan_slices(32, 128256, 1, size, budget_bytes(whole, 64 * GIB, 64 * GIB))
    assert plan is not None
    assert sum(map(size, plan.all)) <= max(whole / 4, ALWAYS_BYTES)
    assert plan.layers.n_layers > plan.rows.n_layers
    assert plan.rows.vocab_size == 3 * plan.layers.vocab_size


def test_one_slice_holds_most_of_the_bytes_and_the_narrow_ones_next_to_none() -> None:
    size = size_of("Q4_K_M")
    plan = plan_slices(32, 128256, 1, size, int(1.5 * GIB))
    assert plan is not None
    total = sum(map(size, plan.all))
    assert size(plan.layers) > total / 2
    assert sum(map(size, plan.narrow)) < total / 100


def test_a_larger_budget_gives_a_deeper_slice_up_to_what_is_enough() -> None:
    size = size_of("Q4_K_M")
    found = [plan_slices(32, 128256, 1, size, int(budget * GIB)) for budget in (1.0, 1.5, 3, 8)]
    layers = [plan.layers.n_layers for plan in found if plan]
    assert layers == sorted(layers)
    assert layers[0] < layers[2] == layers[3]


def test_a_large_model_gets_the_smallest_slices() -> None:
    plan = plan_slices(80, 128256, 1, size_of("Q4_K_M", LLAMA_70B), 8 * GIB)
    assert plan is not None
    assert plan.rows.n_layers == 1
    assert plan.layers.n_layers < 6


def test_too_little_memory_gives_no_slices() -> None:
    assert plan_slices(32, 128256, 1, size_of("Q4_K_M"), 100 << 20) is None


def test_the_budget_leaves_half_of_what_is_free() -> None:
    assert budget_bytes(8 * GIB, 1 * GIB, 64 * GIB) == GIB // 2
    assert budget_bytes(8 * GIB, 64 * GIB, 2 * GIB) == GIB
    assert budget_bytes(8 * GIB, 64 * GIB, 64 * GIB) == 2 * GIB
    assert budget_bytes(40 * GIB, 64 * GIB, 64 * GIB) == 10 * GIB


def test_groups_of_layers_stay_together() -> None:
    plan = plan_slices(48, 200_000, 4, lambda piece: piece.n_layers, 1000)
    assert plan is not None
    assert {piece.n_layers % 4 for piece in plan.all} == {0}


def test_a_model_with_few_layers_is_sliced_all_the_same() -> None:
    plan = plan_slices(2, 32000, 1, lambda piece: 1, 1000)
    assert plan is not None
    assert [piece.n_layers for piece in plan.all] == [2, 1, 1, 2]
    assert plan_slices(1, 32000, 1, lambda piece: 1, 1000) is None


def a_plan(total: int, vocabulary: int, layers: int) -> SlicePlan:
    plan = plan_slices(total, vocabulary, 1, lambda piece: piece.n_layers, layers + 5)
    assert plan is not None
    return plan


def added(factors: tuple[float, ...], plan: SlicePlan, time: Callable[[Slice], float]) -> float:
    return sum(factor * time(piece) for factor, piece in zip(factors, plan.all, strict=True))


costs = st.floats(0.1, 10)
sizes = {
    "layers": st.integers(2, 10),
    "total": st.integers(11, 120),
    "vocabulary": st.sampled_from([600, 32768, 128256]),
}


@given(fixed=st.floats(0, 10), layer=costs, step=st.floats(0.001, 0.1), row=st.floats(1e-6, 1e-3), **sizes)
def test_decoding_times_that_add_up_are_met_exactly(
    fixed: float, layer: float, step: float, row: float, layers: int, total: int, vocabulary: int
) -> None:
    """A narrow layer costs a little; a wide one has that in its own cost."""

    def time(piece: Slice) -> float:
        if piece.is_narrow:
            return fixed + step * piece.n_layers
        return fixed + layer * piece.n_layers + row * piece.vocab_size

    plan = a_plan(total, vocabulary, layers)
    whole = extrapolation(plan, float, total, vocabulary)
    assert added(whole.decode, plan, time) == pytest.approx(time(Slice(total, vocabulary)))
    assert added(whole.row, plan, time) == pytest.approx(row, abs=1e-8)
    alone = extrapolation(plan, float, total, vocabulary, is_whole=False)
    assert added(alone.decode, plan, time) == pytest.approx(layer * total)


@given(fixed=st.floats(0, 10), layer=costs, last=st.floats(0, 1), row=st.floats(1e-6, 1e-3), **sizes)
def test_prompts_whose_last_layer_is_cheap_are_met_exactly(
    fixed: float, layer: float, last: float, row: float, layers: int, total: int, vocabulary: int
) -> None:
    def prompt(piece: Slice) -> float:
        return fixed + layer * (piece.n_layers - 1) + last + row * piece.vocab_size

    def token(piece: Slice) -> float:
        return 0.0 if piece.is_narrow else layer * piece.n_layers + row * piece.vocab_size

    plan = a_plan(total, vocabulary, layers)
    decode_ms = [token(piece) for piece in plan.all]
    whole = extrapolation(plan, float, total, vocabulary)
    found = added(whole.prefill, plan, prompt) + whole.rows_ms(decode_ms)
    assert found == pytest.approx(prompt(Slice(total, vocabulary)))
    alone = extrapolation(plan, float, total, vocabulary, is_whole=False)
    assert added(alone.prefill, plan, prompt) + alone.rows_ms(decode_ms) == pytest.approx(layer * total)


def test_a_slice_of_heavier_layers_is_counted_as_more_of_them() -> None:
    """Layers of which half read twice as much: the slice took heavy ones alone."""
    plan = a_plan(32, 32768, 6)
    light, heavy, row = 1.0, 2.0, 1e-4

    def time(piece: Slice) -> float:
        return 0.0 if piece.is_narrow else heavy * piece.n_layers + row * piece.vocab_size

    whole = extrapolation(plan, lambda n: n * heavy / ((light + heavy) / 2), 32, 32768)
    assert added(whole.decode, plan, time) == pytest.approx(16 * light + 16 * heavy + row * 32768)


def timed(prefill: float = 1000.0, decode: float = 100.0, width: float = 0.02) -> Timed:
    return Timed(prefill, 512, decode, 640, width, width, 5.0, 1 << 30, 0.0)


def test_parts_on_gpu_and_processor_add_up() -> None:
    both = together((timed(100, 10, 0.01), timed(900, 90, 0.05)))
    assert (both.prefill_ms, both.decode_ms) == (1000, 100)
    assert both.decode_half_width == pytest.approx(0.046)
    assert both.seconds == 10


def linear(depth: int, prompt: int) -> tuple[float, float]:
    return 1.0 + depth / 1000, prompt / 100


def test_a_measurement_as_asked_is_taken_as_it_is() -> None:
    speed = measured_speed(timed(), linear, 640, 512)
    assert speed.decode_tokens_per_s == pytest.approx(10)
    assert speed.prefill_tokens_per_s == pytest.approx(512)
    assert speed.ttft_ms == pytest.approx(1000)
    assert 10 / 1.09 < speed.low < 10 < speed.high < 10 / 0.91
    assert (speed.basis, speed.assumed) == (Basis.MEASURED, ())


def test_the_interval_is_never_narrower_than_what_slices_cannot_tell() -> None:
    calm, wild = measured_speed(timed(width=0.0), linear, 640, 512), measured_speed(timed(width=0.1), linear, 640, 512)
    assert calm.low == pytest.approx(10 / (1 + SLICE_SPREAD))
    assert wild.low < calm.low
    assert wild.high > calm.high


def test_a_shorter_prompt_and_a_shallower_cache_are_carried_over_and_said() -> None:
    speed = measured_speed(timed(), linear, 2280, 2048)
    assert speed.decode_tokens_per_s == pytest.approx(10 * 1.64 / 3.28)
    assert speed.ttft_ms == pytest.approx(4000)
    assert len(speed.assumed) == 2
