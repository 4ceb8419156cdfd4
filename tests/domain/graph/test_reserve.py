"""Repeated layers are left out of a graph and blocks are remembered; neither makes a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.footprint import batch_dims
from advisor.domain.graph import reserve
from advisor.domain.graph.allocator import Program, Segment
from advisor.domain.graph.reserve import GraphPlacement, compute_buffers
from advisor.domain.graph.sizes import BatchDims, graph_sizes
from advisor.domain.model import Shape, Window
from advisor.domain.placement import cpu_placement
from advisor.domain.weights import weights
from advisor.units import align_up
from tests.domain.graph.test_allocator import plain_peak
from tests.shapes import KINDS


def every_layer(shape: Shape, dims: BatchDims, monkeypatch: pytest.MonkeyPatch) -> tuple[int, ...]:
    """The buffer of a graph in which no layer is left out."""
    with monkeypatch.context() as patch:
        patch.setattr(reserve, "_shortened", lambda shape, start, count, **_: (count, 0, 1, 0))
        for cached in (reserve._buffers, reserve._walks, reserve._layout):
            cached.cache_clear()
        found = compute_buffers(shape, dims, GraphPlacement())
    for cached in (reserve._buffers, reserve._walks, reserve._layout):
        cached.cache_clear()
    return found


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("flash_attention", [True, False])
def test_a_loop_stands_for_all_its_layers(name: str, flash_attention: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for layers in (1, 2, 3, 4, 5, 7, 8, 21, 48):
        shape = replace(KINDS[name], n_layers=4 * layers if "llama-4" in name else layers)
        for context in (700, 8192, 32768):
            placement = replace(cpu_placement(context), flash_attention=flash_attention)
            dims = batch_dims(shape, placement)
            whole = every_layer(shape, dims, monkeypatch)
            assert compute_buffers(shape, dims, GraphPlacement()) == whole, (layers, context)


def one_after_the_other(program: Program, device: int, repeats: tuple[int, ...]) -> list[tuple[int, str]]:
    """Every event of a device with a slot of its own, loops written out."""
    own, at = program.segments[device], 0
    order: list[Segment] = []
    for (start, stop), n_again in zip(program.loops, repeats, strict=True):
        order += [*own[at:stop], *own[start:stop] * n_again]
        at = stop
    events: list[tuple[int, str]] = []
    live: list[int] = []
    n_slots = 0
    for segment in (*order, *own[at:]):
        slots = list(live)
        for slot, key in segment.events:
            if slot >= 0:
                slots.append(n_slots)
                n_slots += 1
            events.append((slots[slot] if slot >= 0 else ~slots[~slot], key))
        live = [slots[slot] for slot in segment.kept]
    return events


@pytest.mark.parametrize("name", KINDS)
def test_what_is_remembered_of_blocks_makes_no_difference(name: str) -> None:
    shape = KINDS[name]
    for share, context in ((0.25, 8192), (0.5, 8192), (0.5, 20_000)):
        where = GraphPlacement((round(share * shape.n_layers),), output_on_gpu=True)
        dims = batch_dims(shape, cpu_placement(context))
        rows = reserve._offloaded_rows(shape, dims)
        layout = reserve._layout(shape, where, True, (False, False), rows, False)
        for file_type in ("Q4_K_M", "Q8_0", "IQ2_XS", "Q4_K_S"):
            fetched = weights(shape, file_type).largest
            sizes = graph_sizes(shape, dims) | dict(fetched)
            plain = []
            for device, alignment in enumerate(layout.alignments):
                events = one_after_the_other(layout.program, device, layout.repeats)
                sized = [(slot, align_up(sizes.get(key, 0), alignment)) for slot, key in events]
                plain.append(plain_peak([(slot, size) for slot, size in sized if size]))
            assert compute_buffers(shape, dims, where, fetched) == tuple(plain), (share, context, file_type)


def test_a_model_is_sized_as_fast_as_the_number_of_its_layers_does_not_matter() -> None:
    shape = replace(KINDS["mistral-7b"], n_layers=900)
    dims = batch_dims(shape, cpu_placement(8192))
    layout = reserve._layout(shape, GraphPlacement(), True, (False, False), frozenset(), False)
    assert len(layout.plan.layers) < 6
    assert compute_buffers(shape, dims, GraphPlacement())[0] > 0


def test_a_window_that_no_layer_looks_beyond_is_sized_as_the_cache_is() -> None:
    everywhere = replace(KINDS["llama-4-scout"], window=Window(8192, "chunked", 0))
    dims = batch_dims(everywhere, cpu_placement(32768))
    without = replace(everywhere, window=None)
    assert compute_buffers(everywhere, dims, GraphPlacement()) == compute_buffers(without, dims, GraphPlacement())
