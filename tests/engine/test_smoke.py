"""The smoke test of real files: SmolLM2's own weights, and a small one with its vocabulary that knows nothing."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.blueprint import Blueprint
from advisor.domain.placement import cpu_placement
from advisor.domain.smoke import SmokeExpectation, SmokeMeasurement, judge
from advisor.domain.smoke_answers import AnswerFacts, judge_answers
from advisor.engine.client import EngineCancelled, EngineClient, EngineUnavailable
from advisor.engine.messages import ContextParams
from advisor.engine.placement import context_params
from advisor.engine.protocol import Event
from advisor.engine.smoke import SmokePlan, run_file
from advisor.engine.synthetic import BlockPools
from advisor.gguf.reader import ArraySummary, read_header
from advisor.gguf.writer import write_synthetic
from tests.engine.test_rendering import LOOP
from tests.gguf.making import llama_blueprint

QUICK = SmokePlan(ContextParams(n_ctx=512), layers=30, template=None, prompt_tokens=64, decode_tokens=8)


@pytest.fixture(scope="module")
def babbler(shared: EngineClient, smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under SmolLM2's vocabulary: quick, and it never ends an answer."""
    found = read_header(smollm2, keep=("tokenizer.ggml.tokens", "tokenizer.ggml.merges")).metadata
    left_out = "tokenizer.ggml.token_type"  # our writer has no arrays of signed numbers, and llama.cpp needs none
    vocabulary = {
        k: v
        for k, v in found.items()
        if k.startswith("tokenizer.") and k != left_out and not isinstance(v, ArraySummary)
    }
    base = llama_blueprint(vocab=49152, hidden=64, ffn=128, heads=1, kv_heads=1)
    path = tmp_path_factory.mktemp("babbler") / "babbler.gguf"
    write_synthetic(Blueprint({**base.metadata, **vocabulary}, base.tensors), path, BlockPools(shared))
    return path


def facts(measured: SmokeMeasurement) -> AnswerFacts:
    assert measured.answers is not None
    return measured.answers


def test_smollm2_is_tried_in_every_respect(shared: EngineClient, smollm2: Path) -> None:
    template = str(read_header(smollm2).metadata["tokenizer.chat_template"])
    plan = replace(
        QUICK, template=template, context=ContextParams(n_ctx=1024), questions={"en": "Describe the sea."},
        required=frozenset({"en"}), unasked=("yo",), long_tokens=512, calls_tools=True,
    )  # fmt: skip
    events: list[Event] = []
    measured = run_file(shared, smollm2, plan, events.append)
    assert measured.error is None
    assert measured.is_whole
    assert not measured.synthetic
    assert 30 <= measured.prompt_tokens <= 130
    found = {(f.id, f.passed) for f in judge_answers(facts(measured))}
    assert found >= {("template", True), ("stop", True), ("repeat", True), ("language", True), ("structure", True)}
    long = facts(measured).long
    assert long is not None
    assert 300 < long.n_prompt <= 512
    assert long.full_seconds is None
    asked = [event.payload["id"] for event in events if "id" in event.payload]
    assert asked == ["speed", "stop", "language:en", "call", "long"]
    rate, low, high = measured.full_decode_tokens_per_s, measured.decode_low, measured.decode_high
    assert rate is not None
    assert low is None or high is None or low <= rate <= high
    expected = SmokeExpectation(min_decode_tokens_per_s=0.01, max_ttft_ms=1e7, predicted_ram_bytes=600 << 20)
    assert judge(measured, expected).verdict != "fail"


def test_a_long_prompt_is_cut_to_what_the_time_allows(shared: EngineClient, babbler: Path) -> None:
    context = ContextParams(n_ctx=8192)
    whole = run_file(shared, babbler, replace(QUICK, layers=2, context=context, long_tokens=4000, long_budget_s=3600.0))
    cut = run_file(shared, babbler, replace(QUICK, layers=2, context=context, long_tokens=4000, long_budget_s=0.001))
    lengths = [long.n_prompt for m in (whole, cut) if (long := facts(m).long) is not None]
    assert 3600 <= lengths[0] <= 4000
    assert lengths[1] < 700


def test_a_model_that_never_stops_is_cut_and_reported(shared: EngineClient, babbler: Path) -> None:
    measured = run_file(shared, babbler, replace(QUICK, layers=2))
    (stop,) = [f for f in judge_answers(facts(measured)) if f.id == "stop"]
    assert stop.passed is False
    assert stop.text == "never stopped by itself: all answers were cut, the longest after 96 tokens"


@pytest.mark.parametrize(
    ("template", "said"),
    [(LOOP, "did not end within 1 s"), ("{{ messages.__class__ }}", "reaches for what no template may use")],
)
def test_a_hostile_template_is_reported_and_the_rest_goes_on(
    shared: EngineClient, babbler: Path, monkeypatch: pytest.MonkeyPatch, template: str, said: str
) -> None:
    monkeypatch.setattr("advisor.engine.template_child.RENDER_TIMEOUT_S", 1.0)
    measured = run_file(shared, babbler, replace(QUICK, layers=2, template=template))
    found = facts(measured)
    assert found.template == "refused"
    assert said in (found.template_reason or "")
    assert measured.full_decode_tokens_per_s is not None
    assert judge(measured, SmokeExpectation()).verdict == "fail"


def test_what_was_done_before_a_kill_is_kept_with_the_place_of_death(client: EngineClient, babbler: Path) -> None:
    plan = replace(QUICK, layers=2, questions={"fr": "Décris la mer en deux phrases."})

    def kill(event: Event) -> None:
        if event.payload.get("id") == "language:fr" and client.pid is not None:
            os.kill(client.pid, signal.SIGKILL)

    measured = run_file(client, babbler, plan, kill)
    assert measured.error is not None
    assert measured.error.startswith(
        "answering in fr, the engine was killed by signal 9, perhaps because memory ran out"
    )
    assert "\n" not in measured.error
    assert measured.full_decode_tokens_per_s is not None
    assert facts(measured).n_answers == 1
    assert judge(measured, SmokeExpectation()).verdict == "fail"


def test_a_broken_file_is_a_failed_test_not_an_exception(shared: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    measured = run_file(shared, path, QUICK)
    assert measured.error is not None
    assert "cannot load broken.gguf" in measured.error
    assert judge(measured, SmokeExpectation()).verdict == "fail"
    assert measured.layers_run == 0


def test_a_missing_engine_is_no_verdict_on_the_model(tmp_path: Path, smollm2: Path) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise ImportError('none')")
    with EngineClient(env={"PYTHONPATH": str(tmp_path)}) as broken, pytest.raises(EngineUnavailable):
        run_file(broken, smollm2, QUICK)


def test_cancelling_is_no_verdict_on_the_model(client: EngineClient, smollm2: Path) -> None:
    with pytest.raises(EngineCancelled):
        run_file(client, smollm2, QUICK, lambda _event: client.cancel())


def test_a_placement_becomes_context_parameters(shared: EngineClient) -> None:
    params = context_params(cpu_placement(2048, parallel=2, threads=3, n_gpus=2))
    assert (params.n_ctx, params.n_seq_max, params.threads, params.n_gpu_layers) == (2048, 2, 3, 0)
    assert (params.type_k, params.type_v, params.flash_attention) == ("F16", "F16", "on")
    assert params.tensor_split == (0.0, 0.0)
