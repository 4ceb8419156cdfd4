"""Engine figures as footprints, and their memory between runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from advisor.domain.basis import Basis
from advisor.domain.footprint import footprint
from advisor.domain.placement import cpu_placement, with_gpu_layers
from advisor.domain.weights import weights
from advisor.engine.dry_run_cache import DryRunCache, key_of
from advisor.engine.figures import disagreements, engine_footprint, ram_footprint
from advisor.engine.messages import ContextParams, DeviceBytes, MemoryFigures
from advisor.engine.placement import context_params
from tests.builders import MISTRAL_7B

HELD = weights(MISTRAL_7B, "Q4_K_M")
PLACE = with_gpu_layers(cpu_placement(8192, n_gpus=2), 20, (1, 1))
EXPECTED = footprint(MISTRAL_7B, HELD, PLACE, ("GPU0", "GPU1"))


def figures(*compute: tuple[str, int], kv: int = EXPECTED.kv_cache_bytes) -> MemoryFigures:
    return MemoryFigures(
        weights_bytes=HELD.total_bytes,
        kv_cache_bytes=kv,
        state_bytes=0,
        compute=tuple(DeviceBytes(*pair) for pair in compute),
        output=(DeviceBytes("CUDA_Host", 131072),),
        model_buffers=(),
        layer_devices=(),
        kv_layer_devices=(),
        flash_attention=True,
    )


def test_buffers_go_to_the_devices_that_the_log_names() -> None:
    found = engine_footprint(EXPECTED, figures(("CUDA0", 300), ("CUDA1", 200), ("CUDA_Host", 50)))
    assert [d.compute_bytes for d in found.devices] == [50, 300, 200]
    assert [d.output_bytes for d in found.devices] == [131072, 0, 0]
    assert [d.weights_bytes for d in found.devices] == [d.weights_bytes for d in EXPECTED.devices]
    assert found.basis is Basis.ENGINE


def test_a_difference_in_total_is_kept_and_told() -> None:
    found = engine_footprint(EXPECTED, figures(("CPU", EXPECTED.compute_bytes), kv=EXPECTED.kv_cache_bytes + 1024))
    assert found.kv_cache_bytes == EXPECTED.kv_cache_bytes + 1024
    assert [text.split(":")[0] for text in disagreements(EXPECTED, found)] == ["KV cache"]


def test_a_buffer_within_one_per_cent_is_no_disagreement() -> None:
    close = engine_footprint(EXPECTED, figures(("CPU", EXPECTED.compute_bytes + 1000)))
    far = engine_footprint(EXPECTED, figures(("CPU", 2 * EXPECTED.compute_bytes)))
    assert disagreements(EXPECTED, close) == ()
    assert len(disagreements(EXPECTED, far)) == 1


def test_a_file_without_closed_form_lies_in_ram() -> None:
    found = ram_footprint(figures(("CPU", 7)))
    assert (len(found.devices), found.compute_bytes, found.model_bytes) == (1, 7, HELD.total_bytes)


def test_figures_are_remembered_for_one_engine(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "dry-runs.json"
    key = key_of("m Q4_K_M", ContextParams())
    assert key != key_of("m Q4_K_M", ContextParams(n_ctx=1))
    first = DryRunCache(path, "0.3.36")
    assert first.get(key) is None
    first.put(key, figures(("CPU", 7)))
    assert DryRunCache(path, "0.3.36").get(key) == figures(("CPU", 7))
    assert DryRunCache(path, "0.3.37").get(key) is None


def test_a_broken_cache_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "dry-runs.json"
    for text in ("", "[]", '{"format": 1, "basis": "1", "entries": {"k": {"weights_bytes": "no"}}}'):
        path.write_text(text, encoding="utf-8")
        assert DryRunCache(path, "1").get("k") is None


def test_without_a_version_nothing_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "dry-runs.json"
    DryRunCache(path, None).put("k", figures())
    assert not path.exists()


def test_the_output_counts_as_a_layer_of_the_last_gpu() -> None:
    assert context_params(PLACE).tensor_split == (11.0, 10.0)
    assert context_params(replace(PLACE, gpu_layers=(20, 0))).tensor_split == (21.0, 0.0)
    # One of several like GPUs, each with a copy of its own.
    assert context_params(replace(PLACE, gpu_layers=(20,))).tensor_split == (21.0,)
    assert context_params(PLACE).n_gpu_layers == 21


def test_a_mixed_cache_kept_in_ram_is_passed_on() -> None:
    params = context_params(replace(PLACE, kv_type="q8_0", value_type="f16", cache_on_gpu=False, outputs=4))
    assert (params.type_k, params.type_v, params.offload_kqv, params.n_outputs_max) == ("Q8_0", "F16", False, 4)
