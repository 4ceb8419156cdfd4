"""Real runs: SmolLM2's own weights, and synthetic ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.ggml import GGML_TYPES
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import BenchParams, ContextParams, GenerateParams
from advisor.engine.protocol import Event
from advisor.engine.synthetic import BlockPools
from advisor.gguf.writer import write_synthetic
from tests.gguf.making import llama_blueprint

SMALL = ContextParams(n_ctx=1024)


@pytest.fixture(scope="module")
def tiny(shared: EngineClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    write_synthetic(llama_blueprint(), path, BlockPools(shared))
    return path


def test_text_is_generated_and_streamed(shared: EngineClient, smollm2: Path) -> None:
    events: list[Event] = []
    asked = GenerateParams(str(smollm2), ("What is the capital of France?",), SMALL, max_tokens=24)
    result = ops.generate(shared, asked, on_event=events.append)
    (answer,) = result.answers
    assert "Paris" in answer.text
    assert (answer.stop, answer.template) == ("end", "applied")
    tokens = [event.payload for event in events if event.kind == "token"]
    assert "".join(payload["text"] for payload in tokens) == answer.text
    assert [payload["n"] for payload in tokens] == list(range(1, answer.n_tokens + 1))
    assert all(payload["ms"] > 0 for payload in tokens)
    shares = [event.payload["share"] for event in events if event.kind == "progress"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_each_prompt_is_answered_on_its_own(shared: EngineClient, smollm2: Path) -> None:
    prompts = ("What is the capital of France?", "Say hello.", "What is the capital of France?")
    result = ops.generate(shared, GenerateParams(str(smollm2), prompts, SMALL, max_tokens=12))
    texts = [answer.text for answer in result.answers]
    assert texts[0] == texts[2] != texts[1]


def test_the_system_prompt_reaches_the_model(shared: EngineClient, smollm2: Path) -> None:
    lengths = []
    for system in (None, "You answer only in rhymes about the sea and the ships on it."):
        asked = GenerateParams(str(smollm2), ("Hello",), SMALL, system=system, max_tokens=1)
        lengths.append(ops.generate(shared, asked).answers[0].timing.n_prompt)
    assert lengths[0] != lengths[1]


def test_a_temperature_draws_by_seed(shared: EngineClient, smollm2: Path) -> None:
    def text(seed: int) -> str:
        asked = GenerateParams(str(smollm2), ("Tell a story.",), SMALL, max_tokens=12, temperature=1.5, seed=seed)
        return ops.generate(shared, asked).answers[0].text

    assert text(1) == text(1) != text(2)


def test_generation_stops_at_the_limits(shared: EngineClient, smollm2: Path) -> None:
    asked = GenerateParams(str(smollm2), ("Write a long story about a fox.",), SMALL, max_tokens=5)
    answer = ops.generate(shared, asked).answers[0]
    assert (answer.stop, answer.n_tokens, len(answer.timing.token_ms)) == ("length", 5, 4)
    story = ("Write a long story about a fox.",)
    cramped = GenerateParams(str(smollm2), story, ContextParams(n_ctx=256), max_tokens=400)
    answer = ops.generate(shared, cramped).answers[0]
    assert (answer.stop, answer.timing.n_prompt + answer.n_tokens) == ("context", 256)


def test_short_answers_are_timed_past_their_end(shared: EngineClient, smollm2: Path) -> None:
    asked = GenerateParams(str(smollm2), ("What is the capital of France?",), SMALL, max_tokens=24, timed_tokens=12)
    answer = ops.generate(shared, asked).answers[0]
    assert (answer.text, answer.stop) == ("The capital of France is Paris.", "end")
    assert len(answer.timing.token_ms) == 12 > answer.n_tokens


def test_a_prompt_beyond_the_context_is_refused(shared: EngineClient, smollm2: Path) -> None:
    with pytest.raises(EngineRefused, match="more than the context holds"):
        ops.generate(shared, GenerateParams(str(smollm2), ("word " * 2000,), SMALL))


def test_characters_of_several_tokens_arrive_whole(shared: EngineClient, smollm2: Path) -> None:
    pieces: list[str] = []
    asked = GenerateParams(str(smollm2), ("Repeat exactly: 🦊🐙🦄 你好 🦊🐙🦄 你好",), SMALL, max_tokens=40)
    answer = ops.generate(shared, asked, on_event=lambda e: pieces.append(str(e.payload.get("text", ""))))
    text = answer.answers[0].text
    assert "".join(pieces) == text.removesuffix("\N{REPLACEMENT CHARACTER}")
    assert any(ord(c) > 0x3000 for c in text)
    assert "\N{REPLACEMENT CHARACTER}" not in text[:-1]


def test_a_file_without_a_vocabulary_cannot_answer(shared: EngineClient, tiny: Path) -> None:
    with pytest.raises(EngineRefused, match="no vocabulary"):
        ops.generate(shared, GenerateParams(str(tiny), ("Hello",), SMALL))


def test_bench_of_a_real_file(shared: EngineClient, smollm2: Path) -> None:
    events: list[Event] = []
    asked = BenchParams((str(smollm2),), SMALL, n_prompt=64, n_decode=8, prefill_repeats=2)
    result = ops.bench(shared, asked, on_event=events.append)
    (run,) = result.runs
    timing = run.timing
    assert timing.prefill_tokens_per_s == pytest.approx(64_000 / timing.ttft_ms)
    steady = sorted(timing.token_ms[1:])
    assert timing.decode_tokens_per_s == pytest.approx(1000 / steady[len(steady) // 2])
    assert [e.payload["ms"] for e in events if e.kind == "token"] == list(timing.token_ms)
    assert len(timing.token_ms) == 8
    assert min(timing.load_ms, timing.warmup_ms, *timing.token_ms) > 0


def test_peak_memory_covers_weights_and_cache(shared: EngineClient, smollm2: Path) -> None:
    peaks = []
    for n_ctx in (512, 16384):
        asked = BenchParams((str(smollm2),), ContextParams(n_ctx=n_ctx), n_prompt=8, n_decode=0)
        result = ops.bench(shared, asked)
        memory = result.runs[0].memory
        peak = result.peak_rss_bytes - result.baseline_rss_bytes
        held = memory.weights_bytes + memory.kv_cache_bytes
        assert held * 0.95 < peak < 1.05 * (held + memory.compute_bytes + memory.output_bytes) + (32 << 20)
        peaks.append(peak)
    assert peaks[1] - peaks[0] > 300 << 20


def test_peak_memory_is_counted_anew_for_each_request(shared: EngineClient, tiny: Path, smollm2: Path) -> None:
    large = ops.bench(shared, BenchParams((str(smollm2),), ContextParams(n_ctx=16384), n_prompt=1, n_decode=0))
    small = ops.bench(shared, BenchParams((str(tiny),), ContextParams(n_ctx=256), n_prompt=1, n_decode=0))
    assert small.peak_rss_bytes < large.peak_rss_bytes - (200 << 20)


def test_a_synthetic_file_runs(shared: EngineClient, tiny: Path) -> None:
    result = ops.bench(shared, BenchParams((str(tiny),), SMALL, n_prompt=32, n_decode=4))
    assert result.runs[0].model.n_vocab == 512
    assert not result.runs[0].model.has_vocabulary
    assert result.runs[0].timing.decode_tokens_per_s is not None


def test_several_models_are_timed_in_turn(shared: EngineClient, tiny: Path, smollm2: Path) -> None:
    order: list[int] = []

    def listen(event: Event) -> None:
        if event.kind == "token":
            order.append(event.payload["run"])

    asked = BenchParams((str(tiny), str(smollm2)), SMALL, n_prompt=8, n_decode=3)
    result = ops.bench(shared, asked, on_event=listen)
    assert order == [0, 1] * 3
    assert [run.model.n_layers for run in result.runs] == [2, 30]
    assert result.runs[0].memory.weights_bytes < result.runs[1].memory.weights_bytes


def mixture(n_experts: int) -> Blueprint:
    base = llama_blueprint(expert_count=n_experts, expert_used_count=2)
    kept = [t for t in base.tensors if "ffn_" not in t.name or "norm" in t.name]
    for i in range(2):
        kept.append(Tensor(f"blk.{i}.ffn_gate_inp.weight", (256, n_experts), GGML_TYPES["F32"]))
        for name, shape in (("gate", (256, 512)), ("down", (512, 256)), ("up", (256, 512))):
            kept.append(Tensor(f"blk.{i}.ffn_{name}_exps.weight", (*shape, n_experts), GGML_TYPES["Q4_K"]))
    return Blueprint(base.metadata, tuple(kept))


def test_a_synthetic_mixture_of_experts_runs(shared: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "mixture.gguf"
    write_synthetic(mixture(8), path, BlockPools(shared))
    result = ops.bench(shared, BenchParams((str(path),), SMALL, n_prompt=32, n_decode=3))
    assert result.runs[0].memory.weights_bytes == mixture(8).tensor_bytes


@pytest.mark.parametrize(
    "asked",
    [
        BenchParams(()),
        BenchParams(("a",), n_prompt=0),
        BenchParams(("a",), ContextParams(n_ctx=256), n_prompt=250, n_decode=10),
        BenchParams(("a",), ContextParams(n_ctx=512, n_seq_max=2), n_prompt=250, n_decode=10),
    ],
)
def test_senseless_benches_are_refused(shared: EngineClient, asked: BenchParams) -> None:
    with pytest.raises(EngineRefused) as caught:
        ops.bench(shared, asked)
    assert caught.value.kind == "request"
