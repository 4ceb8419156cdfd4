"""Slices written, run in the child and removed: the times of a model that is not here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.domain.blueprint import Blueprint
from advisor.domain.speed.slicing import Extrapolation, Slice, SlicePlan, Timed
from advisor.engine.client import EngineCancelled, EngineClient, OnEvent
from advisor.engine.messages import ContextParams, MeasureParams, MeasureResult
from advisor.engine.operations import measure
from advisor.engine.protocol import Event
from advisor.engine.synthetic import BlockPools
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_synthetic

CELLS_BEYOND = 64
"""Room in the cache beyond prompt and depth, for the tokens that are timed and taken back."""
OVERTIME_S = 120.0
"""Loading, warming up and the fewest rounds come on top of the time budget; a child that takes longer hangs."""

LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Environment of a child that times slices: glibc then asks Linux for pages of 2 MiB. A machine that has run for hours
hands out its scattered 4 KiB pages first; a slice lies in these alone and reads slower by a tenth than the whole model,
most of which lies in large free blocks. Other systems and other C libraries ignore it."""


@dataclass(frozen=True, slots=True)
class SliceRun:
    """What to time, and how exactly."""

    blueprint: Callable[[Slice], Blueprint]
    plan: SlicePlan
    extrapolation: Extrapolation
    context: ContextParams
    """How the whole model would be run; the cache is made as small as the slices need."""
    n_prompt: int
    depth_tokens: int
    budget_s: float
    precision: float = 0.03
    scratch_root: Path | None = None


def time_slices(
    client: EngineClient,
    run: SliceRun,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    pools: BlockPools | None = None,
) -> Timed:
    """Write the slices, time them in turn, and extrapolate.

    Raises EngineCancelled when cancelled, EngineError where llama.cpp is missing, refuses or dies, InputError where
    a slice cannot be written. Nothing is left behind.
    """
    blocks = pools or BlockPools(client)
    chosen = run.plan.all
    with scratch_dir(run.scratch_root) as folder:
        paths = []
        for index, piece in enumerate(chosen):
            if on_event is not None:
                on_event(Event(0, "progress", {"stage": "write", "share": index / len(chosen)}))
            _stop_if_cancelled(cancel)
            paths.append(folder / f"slice-{index}.gguf")
            write_synthetic(run.blueprint(piece), paths[-1], blocks)
        _stop_if_cancelled(cancel)
        result = measure(client, _params(run, paths), timeout=run.budget_s + OVERTIME_S, on_event=on_event)
    return _timed(run, result, sum(run.blueprint(piece).tensor_bytes for piece in chosen))


def _stop_if_cancelled(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise EngineCancelled("the measurement was stopped")


def _params(run: SliceRun, paths: list[Path]) -> MeasureParams:
    cells = max(run.n_prompt, run.depth_tokens) + CELLS_BEYOND
    return MeasureParams(
        model_paths=tuple(map(str, paths)),
        prefill_factors=run.extrapolation.prefill,
        decode_factors=run.extrapolation.decode,
        context=replace(run.context, n_ctx=cells, n_seq_max=1),
        n_prompt=run.n_prompt,
        depth_tokens=run.depth_tokens,
        precision=run.precision,
        budget_s=run.budget_s,
    )


def _timed(run: SliceRun, result: MeasureResult, slice_bytes: int) -> Timed:
    return Timed(
        prefill_ms=result.prefill.median_ms + run.extrapolation.rows_ms(result.decode.model_ms),
        n_prompt=run.n_prompt,
        decode_ms=result.decode.median_ms,
        depth_tokens=run.depth_tokens,
        prefill_half_width=result.prefill.half_width,
        decode_half_width=result.decode.half_width,
        seconds=result.seconds,
        slice_bytes=slice_bytes,
        others_cores=result.others_cores,
    )
