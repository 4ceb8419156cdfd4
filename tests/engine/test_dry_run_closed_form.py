"""The closed form against llama.cpp's dry run, over models, contexts, caches, slots and batches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from advisor.domain.footprint import footprint
from advisor.domain.kv_cache import slot_cells
from advisor.domain.model import Shape
from advisor.domain.placement import KV_TYPES, KvType, Placement, cpu_placement
from advisor.domain.weights import blueprint, weights
from advisor.engine.client import EngineClient
from advisor.engine.figures import disagreements, engine_footprint
from advisor.engine.operations import size_blueprint
from advisor.engine.placement import context_params
from advisor.units import MIB
from tests.builders import model
from tests.shapes import KINDS

CASES = 150
LOG_BYTES = 0.006 * MIB
"""The log rounds to 0.01 MiB."""


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """A kind of model with fewer layers, cut where its pattern of layers begins anew."""
    shape = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    step = 4 if shape.architecture == "llama4" else 1
    lead = shape.experts.n_leading_dense if shape.experts else 0
    layers = lead + step * draw(st.integers(1, 20 // step))
    experts = shape.experts and replace(shape.experts, n_total=min(16, shape.experts.n_total))
    if shape.experts and shape.experts.n_total == 128 and shape.architecture == "llama4":
        experts = shape.experts  # Maverick is told by its 128 experts
    return replace(shape, n_layers=layers, experts=experts)


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    parallel = draw(st.sampled_from([1, 1, 2, 3, 8]))
    context = parallel * draw(st.one_of(st.integers(200, 3000), st.sampled_from([4096, 8192, 20000, 32768])))
    flash_attention = draw(st.booleans())
    keys: KvType = draw(st.sampled_from(KV_TYPES))
    values: KvType = draw(st.sampled_from(KV_TYPES)) if flash_attention else "f16"
    ubatch = draw(st.sampled_from([1, 16, 33, 100, 128, 256, 512, 512, 512, 1024, 2048]))
    return replace(
        cpu_placement(context, parallel=parallel),
        kv_type=keys,
        value_type=values,
        flash_attention=flash_attention,
        ubatch=max(ubatch, parallel),
        outputs=draw(st.sampled_from([None, None, 1, 64])),
    )


def allowed(shape: Shape, placement: Placement) -> Placement:
    """The placement without what llama.cpp refuses."""
    outputs = None if placement.outputs is None else max(placement.outputs, placement.parallel)
    if shape.latent is None:
        return replace(placement, outputs=outputs)
    keys: KvType = placement.kv_type if placement.flash_attention else "f16"
    return replace(placement, outputs=outputs, kv_type=keys, value_type=None)


def sized(client: EngineClient, shape: Shape, quantization: str, placement: Placement):  # type: ignore[no-untyped-def]
    held = weights(shape, quantization)
    expected = footprint(shape, held, placement, ())
    report = size_blueprint(client, blueprint(model("drawn", shape), quantization), context_params(placement))
    return expected, engine_footprint(expected, report.memory), report.memory


@settings(
    max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shapes(), st.sampled_from(["Q4_K_M", "Q8_0", "IQ2_XS", "F16"]), placements())
@example(KINDS["mistral-7b"], "Q4_K_M", cpu_placement(8192))
@example(KINDS["llama-70b"], "Q4_K_M", cpu_placement(32768))
@example(KINDS["llama-4-scout"], "Q4_K_M", cpu_placement(131072))
def test_the_closed_form_is_what_llama_cpp_would_allocate(
    shared: EngineClient, shape: Shape, quantization: str, placement: Placement
) -> None:
    placement = allowed(shape, placement)
    expected, found, figures = sized(shared, shape, quantization, placement)
    assert expected.model_bytes == figures.weights_bytes
    if shape.state_space is None:
        # Below that the log's 0.01 MiB hold more than one whole number of blocks.
        is_told = slot_cells(placement) * placement.parallel * shape.n_layers > 4096
        slack = 0.0 if is_told else 4 * LOG_BYTES
        assert expected.kv_cache_bytes == pytest.approx(figures.kv_cache_bytes, rel=0, abs=slack)
    else:
        assert expected.kv_cache_bytes == pytest.approx(figures.state_bytes, abs=2 * LOG_BYTES)
    assert expected.compute_bytes == pytest.approx(figures.compute_bytes, abs=LOG_BYTES + expected.compute_bytes / 1e5)
    assert expected.output_bytes == pytest.approx(figures.output_bytes, abs=LOG_BYTES)
    assert found.total_bytes == pytest.approx(expected.total_bytes, rel=0.01)


def test_a_wrong_blueprint_is_told(shared: EngineClient) -> None:
    shape = replace(KINDS["mistral-7b"], n_layers=2)
    expected, _, figures = sized(shared, shape, "Q4_K_M", cpu_placement(2048))
    fuller = replace(figures, kv_cache_bytes=2 * figures.kv_cache_bytes)
    told = disagreements(expected, engine_footprint(expected, fuller))
    assert told == (f"KV cache: {expected.kv_cache_bytes:,} bytes computed, {fuller.kv_cache_bytes:,} by llama.cpp",)


def test_a_dry_run_takes_milliseconds_when_many_are_asked(shared: EngineClient) -> None:
    found = size_blueprint(
        shared, blueprint(model("m", KINDS["mistral-7b"]), "Q4_K_M"), context_params(cpu_placement(8192))
    )
    assert found.load_ms + found.context_ms < 500  # 20 ms on an idle machine; this one may be shared
