from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.model import Shape
from advisor.domain.slices import layer_step, slice_blueprint
from advisor.domain.speed.slicing import Slice, SlicePlan, extrapolation
from advisor.engine.client import EngineCancelled, EngineClient
from advisor.engine.messages import BenchParams, ContextParams
from advisor.engine.operations import bench
from advisor.engine.protocol import Event
from advisor.engine.slices import SliceRun, time_slices
from advisor.engine.synthetic import BlockPools
from advisor.errors import EngineError, InputError
from advisor.gguf.writer import write_synthetic
from tests.builders import model
from tests.shapes import KINDS

TINY = model(shape=Shape("llama", 12, 256, 4, 2, 64, 512, 4096, tied_embeddings=False))
PLAN = SlicePlan(Slice(3, 512), Slice(1, 1536), (Slice(1, 256, True), Slice(3, 256, True)))
RUN = SliceRun(
    blueprint=lambda piece: slice_blueprint(
        TINY, "Q4_K_M", piece.n_layers, piece.vocab_size, is_narrow=piece.is_narrow
    ),
    plan=PLAN,
    extrapolation=extrapolation(PLAN, float, 12, 4096),
    context=ContextParams(n_ctx=8192, n_seq_max=4),
    n_prompt=32,
    depth_tokens=48,
    budget_s=0.5,
)


def test_a_model_is_timed_by_its_slices(shared: EngineClient, tmp_path: Path) -> None:
    stages: list[str] = []
    timed = time_slices(
        shared, replace(RUN, scratch_root=tmp_path), lambda event: stages.append(str(event.payload["stage"]))
    )
    assert (timed.n_prompt, timed.depth_tokens) == (32, 48)
    assert timed.slice_bytes == sum(RUN.blueprint(piece).tensor_bytes for piece in PLAN.all)
    assert 0 <= timed.decode_half_width <= 1
    assert [stage for stage in dict.fromkeys(stages)] == ["write", "load", "prefill", "decode"]
    assert list(tmp_path.iterdir()) == []


def test_a_slice_has_its_part_of_the_vocabulary_and_the_same_types() -> None:
    whole = {t.name: t for t in slice_blueprint(TINY, "Q4_K_M", 12).tensors}
    for piece in PLAN.all:
        for tensor in RUN.blueprint(piece).tensors:
            if tensor.name.startswith("blk."):
                continue
            assert tensor.ggml_type == whole[tensor.name].ggml_type
            if tensor.name in ("output.weight", "token_embd.weight"):
                assert tensor.shape == (256, piece.vocab_size)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_llama_cpp_runs_narrow_layers_of_every_architecture(shared: EngineClient, name: str, tmp_path: Path) -> None:
    found, step = model(shape=KINDS[name]), layer_step(KINDS[name])
    narrow = slice_blueprint(found, "Q4_K_M", step, 256, is_narrow=True)
    assert narrow.tensor_bytes < slice_blueprint(found, "Q4_K_M", step, 256).tensor_bytes
    path = tmp_path / "narrow.gguf"
    write_synthetic(narrow, path, BlockPools(shared))
    asked = BenchParams((str(path),), ContextParams(n_ctx=256), n_prompt=8, n_decode=2)
    assert bench(shared, asked).runs[0].model.n_layers == step


def test_a_cancelled_run_stops_before_it_writes_and_leaves_nothing(client: EngineClient, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(EngineCancelled):
        time_slices(client, replace(RUN, scratch_root=tmp_path), cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_child_killed_amid_a_run_is_an_error_and_leaves_nothing(client: EngineClient, tmp_path: Path) -> None:
    def kill(event: Event) -> None:
        if event.payload.get("stage") == "decode" and client.pid is not None:
            os.kill(client.pid, signal.SIGKILL)

    with pytest.raises(EngineError):
        time_slices(client, replace(RUN, scratch_root=tmp_path, precision=0.0, budget_s=5.0), kill)
    assert list(tmp_path.iterdir()) == []


def test_no_place_for_slices_is_an_input_error(client: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        time_slices(client, replace(RUN, scratch_root=tmp_path / "missing"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a POSIX system to limit the size of files")
def test_a_disk_that_fills_is_an_input_error_and_leaves_nothing(client: EngineClient, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    pools = BlockPools(client)
    time_slices(client, RUN, pools=pools)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
        with pytest.raises(InputError, match="cannot be written"):
            time_slices(client, replace(RUN, scratch_root=tmp_path), pools=pools)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
