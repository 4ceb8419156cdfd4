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
    Slice,
    Timed,
    budget_bytes,
    factors,
    layer_factors,
    measured_speed,
    plan_slices,
    together,
)
from advisor.domain.weights import blueprint
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B, model


def size_of(quantization: str, shape: Shape = LLAMA_3_8B) -> Callable[[Slice], int]:
    found = model(shape=shape)
    return lambda piece: slice_blueprint(found, quantization, piece.n_layers, piece.vocab_size).tensor_bytes


@pytest.mark.parametrize("quantization", ["Q4_K_M", "Q8_0", "IQ2_M"])
def test_slices_take_a_quarter_of_the_model_at_most(quantization: str) -> None:
    size = size_of(quantization)
    whole = blueprint(model(shape=LLAMA_3_8B), quantization).tensor_bytes
    slices = plan_slices(32, 128256, 1, size, budget_bytes(whole, 64 * GIB, 64 * GIB))
    assert slices is not None
    assert sum(map(size, slices)) <= max(whole / 4, ALWAYS_BYTES)
    assert slices[1].n_layers == 3 * slices[0].n_layers
    assert slices[2].vocab_size == 3 * slices[0].vocab_size


def test_a_larger_budget_gives_larger_slices() -> None:
    size = size_of("Q4_K_M")
    found = [plan_slices(32, 128256, 1, size, int(budget * GIB)) for budget in (1.2, 1.5, 2, 8)]
    layers = [slices[0].n_layers for slices in found if slices]
    assert layers == sorted(layers)
    assert layers[0] < layers[2] == layers[3]


def test_a_large_model_gets_the_smallest_slices() -> None:
    slices = plan_slices(80, 128256, 1, size_of("Q4_K_M", LLAMA_70B), 8 * GIB)
    assert slices is not None
    assert slices[0].n_layers == 1


def test_too_little_memory_gives_no_slices() -> None:
    assert plan_slices(32, 128256, 1, size_of("Q4_K_M"), 100 << 20) is None


def test_the_budget_leaves_half_of_what_is_free() -> None:
    assert budget_bytes(8 * GIB, 1 * GIB, 64 * GIB) == GIB // 2
    assert budget_bytes(8 * GIB, 64 * GIB, 2 * GIB) == GIB
    assert budget_bytes(8 * GIB, 64 * GIB, 64 * GIB) == 2 * GIB
    assert budget_bytes(40 * GIB, 64 * GIB, 64 * GIB) == 10 * GIB


def test_groups_of_layers_stay_together() -> None:
    slices = plan_slices(48, 200_000, 4, lambda piece: piece.n_layers, 1000)
    assert slices is not None
    assert {piece.n_layers % 4 for piece in slices} == {0}


def test_a_model_with_few_layers_is_sliced_all_the_same() -> None:
    slices = plan_slices(2, 32000, 1, lambda piece: 1, 1000)
    assert slices is not None
    assert [piece.n_layers for piece in slices] == [1, 2, 1]
    assert plan_slices(1, 32000, 1, lambda piece: 1, 1000) is None


@given(
    fixed=st.floats(0, 10),
    layer=st.floats(0.1, 10),
    row=st.floats(1e-6, 1e-3),
    small=st.integers(1, 10),
    total=st.integers(11, 120),
    vocabulary=st.sampled_from([600, 32768, 128256]),
)
def test_times_that_add_up_are_met_exactly(
    fixed: float, layer: float, row: float, small: int, total: int, vocabulary: int
) -> None:
    def time(piece: Slice) -> float:
        return fixed + layer * piece.n_layers + row * piece.vocab_size

    slices = plan_slices(total, vocabulary, 1, lambda piece: piece.n_layers, 5 * small)
    assert slices is not None
    counted = factors(slices, total, vocabulary)
    whole = sum(f * time(piece) for f, piece in zip(counted, slices, strict=True))
    assert whole == pytest.approx(time(Slice(total, vocabulary)))
    layers = layer_factors(slices, total)
    alone = sum(f * time(piece) for f, piece in zip(layers, slices, strict=False))
    assert alone == pytest.approx(layer * total)


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
    assert speed.low < 10 < speed.high
    assert (speed.basis, speed.assumed) == (Basis.MEASURED, ())


def test_a_shorter_prompt_and_a_shallower_cache_are_carried_over_and_said() -> None:
    speed = measured_speed(timed(), linear, 2280, 2048)
    assert speed.decode_tokens_per_s == pytest.approx(10 * 1.64 / 3.28)
    assert speed.ttft_ms == pytest.approx(4000)
    assert len(speed.assumed) == 2
