from __future__ import annotations

from pathlib import Path

import pytest

from advisor.domain.placement import cpu_placement
from advisor.domain.smoke import SmokeExpectation, judge
from advisor.engine.client import EngineCancelled, EngineClient, EngineUnavailable
from advisor.engine.messages import ContextParams
from advisor.engine.placing import context_params
from advisor.engine.protocol import Event
from advisor.engine.smoke import SmokeParams, run_smoke
from advisor.engine.synthetic import SyntheticTarget
from tests.gguf.making import llama_blueprint

QUICK = SmokeParams(ContextParams(n_ctx=512), prompt_tokens=64, decode_tokens=8)


def target(layers: int, whole: bool) -> SyntheticTarget:
    budget = llama_blueprint(layers=layers).tensor_bytes - (0 if whole else 1)
    return SyntheticTarget(lambda n: llama_blueprint(layers=n), layers, budget)


def test_a_real_file_passes(shared: EngineClient, smollm2: Path) -> None:
    events: list[Event] = []
    measured = run_smoke(shared, smollm2, QUICK, events.append)
    assert measured.error is None
    assert measured.is_whole
    assert not measured.synthetic
    assert all(text.strip() for text in measured.texts)
    assert 30 <= measured.prompt_tokens <= 100
    assert {event.kind for event in events} == {"progress", "token"}
    expected = SmokeExpectation(min_decode_tokens_per_s=0.01, max_ttft_ms=1e6, predicted_ram_bytes=400 << 20)
    verdict = judge(measured, expected)
    required = [check for check in verdict.checks if check.required]
    assert [(check.id, check.passed) for check in required] == [
        ("runs", True),
        ("text", True),
        ("decode", True),
        ("ttft", True),
    ]


def test_the_callers_prompts_are_used(shared: EngineClient, smollm2: Path) -> None:
    params = SmokeParams(ContextParams(n_ctx=512), prompts=("What is the capital of France?",))
    measured = run_smoke(shared, smollm2, params)
    assert len(measured.texts) == 1
    assert "Paris" in measured.texts[0]


def test_a_small_shape_is_run_whole(shared: EngineClient) -> None:
    measured = run_smoke(shared, target(4, whole=True), QUICK)
    assert (measured.synthetic, measured.layers_run, measured.layers_total) == (True, 4, 4)
    assert measured.prompt_tokens == 64
    assert measured.full_decode_tokens_per_s == pytest.approx(measured.decode_tokens_per_s)
    assert measured.texts == ()


def test_a_large_shape_is_run_in_slices(shared: EngineClient) -> None:
    measured = run_smoke(shared, target(12, whole=False), QUICK)
    assert (measured.synthetic, measured.layers_run, measured.layers_total) == (True, 6, 12)
    assert measured.weights_bytes == llama_blueprint(layers=6).tensor_bytes
    rate, whole_rate = measured.decode_tokens_per_s, measured.full_decode_tokens_per_s
    assert rate is not None
    assert whole_rate is None or whole_rate < rate


def test_a_broken_file_is_a_failed_test_not_an_exception(shared: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    measured = run_smoke(shared, path, QUICK)
    assert measured.error is not None
    assert "cannot load broken.gguf" in measured.error
    assert judge(measured, SmokeExpectation()).verdict == "fail"


def test_an_abort_amid_the_run_is_a_failed_test(client: EngineClient) -> None:
    bad = SyntheticTarget(lambda n: llama_blueprint(layers=n, expert_count=0, expert_used_count=9), 2, 1 << 30)
    measured = run_smoke(client, bad, QUICK)
    assert "aborted" in (measured.error or "")


def test_a_missing_engine_is_no_verdict_on_the_model(tmp_path: Path, smollm2: Path) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('none')")
    with EngineClient(env={"PYTHONPATH": str(tmp_path)}) as broken, pytest.raises(EngineUnavailable):
        run_smoke(broken, smollm2, QUICK)


def test_cancelling_is_no_verdict_on_the_model(client: EngineClient, smollm2: Path) -> None:
    with pytest.raises(EngineCancelled):
        run_smoke(client, smollm2, QUICK, lambda _event: client.cancel())


def test_temporary_files_go_where_they_are_sent(shared: EngineClient, tmp_path: Path) -> None:
    seen: list[int] = []
    root = tmp_path / "root"
    root.mkdir()
    params = SmokeParams(ContextParams(n_ctx=256), 16, 2, scratch_root=root)
    run_smoke(shared, target(2, whole=True), params, lambda _event: seen.append(len(list(root.iterdir()))))
    assert max(seen) == 1
    assert list(root.iterdir()) == []


def test_a_placement_becomes_context_parameters(shared: EngineClient) -> None:
    params = context_params(cpu_placement(2048, parallel=2, threads=3, n_gpus=2))
    assert (params.n_ctx, params.n_seq_max, params.threads, params.n_gpu_layers) == (2048, 2, 3, 0)
    assert (params.type_k, params.type_v, params.flash_attention) == ("F16", "F16", "on")
    assert params.tensor_split == (0.0, 0.0)
