"""The smoke test: a short real run, of a file that is here or of a model's shape with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from advisor.domain.smoke import SmokeMeasurement, extrapolate_ms
from advisor.engine.client import EngineCancelled, EngineClient, EngineUnavailable, OnEvent
from advisor.engine.messages import (
    Answer,
    BenchParams,
    BenchResult,
    BenchRun,
    ContextParams,
    GenerateParams,
    GenerateResult,
)
from advisor.engine.operations import RUN_TIMEOUT_S, bench, generate
from advisor.engine.protocol import Event
from advisor.engine.synthetic import BlockPools, SyntheticTarget, write_slices
from advisor.errors import EngineError
from advisor.gguf.scratch import scratch_dir

_SHORT_PROMPT = "Name three colours of the rainbow in one short sentence."
_PASSAGE = (
    "The harbour was quiet in the early morning. Two fishing boats came back with nets full of silver herring, and "
    "a boy on the quay counted the boxes aloud while his sister wrote the numbers into a blue notebook. "
)
_LONG_QUESTION = "Retell the passage below in your own words.\n\n"
_TOKENS_PER_PASSAGE = 45
_PREFILL_REPEATS = 2
_CONTEXT = ContextParams(n_ctx=2048)


@dataclass(frozen=True, slots=True)
class SmokeParams:
    """How long and how large a smoke test is."""

    context: ContextParams = _CONTEXT
    prompt_tokens: int = 256
    """About so many for a file with a vocabulary, exactly so many otherwise; never more than the context allows."""
    decode_tokens: int = 32
    prompts: tuple[str, ...] = ()
    """In place of the built-in ones."""
    timeout_s: float = RUN_TIMEOUT_S
    scratch_root: Path | None = None
    """Where synthetic files lie meanwhile; None for the system's temporary directory."""


def run_smoke(
    client: EngineClient, target: Path | SyntheticTarget, params: SmokeParams, on_event: OnEvent | None = None
) -> SmokeMeasurement:
    """Run it. A model that does not run is a measurement with an error.

    Raises EngineUnavailable where llama.cpp is missing, EngineCancelled when cancelled, InputError where a temporary
    file cannot be written.
    """
    try:
        if isinstance(target, SyntheticTarget):
            return _run_synthetic(client, target, params, on_event)
        return _run_file(client, target, params, on_event)
    except (EngineUnavailable, EngineCancelled):
        raise
    except EngineError as error:
        synthetic = isinstance(target, SyntheticTarget)
        total = target.layers_total if isinstance(target, SyntheticTarget) else 0
        return SmokeMeasurement(synthetic, 0, total, str(error))


def _run_file(client: EngineClient, path: Path, params: SmokeParams, on_event: OnEvent | None) -> SmokeMeasurement:
    room = params.context.slot_tokens - params.decode_tokens
    n_passages = max(1, min(params.prompt_tokens, room // 2) // _TOKENS_PER_PASSAGE)
    prompts = params.prompts or (_SHORT_PROMPT, _LONG_QUESTION + _PASSAGE * n_passages)
    n = params.decode_tokens
    asked = GenerateParams(str(path), prompts, params.context, max_tokens=n, timed_tokens=n)
    return _file_measurement(generate(client, asked, timeout=params.timeout_s, on_event=on_event))


def _file_measurement(result: GenerateResult) -> SmokeMeasurement:
    longest = max(result.answers, key=lambda answer: answer.timing.n_prompt).timing
    rate = _pooled_rate(result.answers)
    return SmokeMeasurement(
        synthetic=False,
        layers_run=result.model.n_layers,
        layers_total=result.model.n_layers,
        error=None,
        prompt_tokens=longest.n_prompt,
        ttft_ms=longest.ttft_ms,
        decode_tokens_per_s=rate,
        full_ttft_ms=longest.ttft_ms,
        full_decode_tokens_per_s=rate,
        peak_bytes=result.peak_rss_bytes - result.baseline_rss_bytes,
        weights_bytes=result.memory.weights_bytes,
        load_ms=longest.load_ms,
        others_cores=result.others_cores,
        texts=tuple([answer.text for answer in result.answers]),
    )


def _pooled_rate(answers: Sequence[Answer]) -> float | None:
    """Median over all answers' tokens, each answer's first excluded: an answer may end after a few."""
    steady = [ms for answer in answers for ms in answer.timing.token_ms[1:]]
    return 1000 / median(steady) if steady else None


def _run_synthetic(
    client: EngineClient, target: SyntheticTarget, params: SmokeParams, on_event: OnEvent | None
) -> SmokeMeasurement:
    layers = target.slices()
    n_prompt = max(1, min(params.prompt_tokens, params.context.slot_tokens - params.decode_tokens))
    with scratch_dir(params.scratch_root) as folder:
        if on_event is not None:
            on_event(Event(0, "progress", {"stage": "write", "share": 0.0}))
        paths = write_slices(target, layers, BlockPools(client), folder)
        asked = BenchParams(tuple(map(str, paths)), params.context, n_prompt, params.decode_tokens, _PREFILL_REPEATS)
        result = bench(client, asked, timeout=params.timeout_s, on_event=on_event)
    return _synthetic_measurement(result, layers, target.layers_total)


def _synthetic_measurement(result: BenchResult, layers: tuple[int, ...], total: int) -> SmokeMeasurement:
    largest = result.runs[-1]
    full_decode_ms, full_ttft_ms = _whole_model(result.runs, layers, total)
    return SmokeMeasurement(
        synthetic=True,
        layers_run=layers[-1],
        layers_total=total,
        error=None,
        prompt_tokens=largest.timing.n_prompt,
        ttft_ms=largest.timing.ttft_ms,
        decode_tokens_per_s=largest.timing.decode_tokens_per_s,
        full_ttft_ms=full_ttft_ms,
        full_decode_tokens_per_s=1000 / full_decode_ms if full_decode_ms else None,
        peak_bytes=result.peak_rss_bytes - result.baseline_rss_bytes,
        weights_bytes=largest.memory.weights_bytes,
        load_ms=largest.timing.load_ms,
        others_cores=result.others_cores,
    )


def _whole_model(runs: Sequence[BenchRun], layers: tuple[int, ...], total: int) -> tuple[float | None, float | None]:
    """Milliseconds per token and to the first token with all layers, where that can be said."""
    timing = runs[-1].timing
    if layers[-1] == total:
        rate = timing.decode_tokens_per_s
        return (1000 / rate if rate else None), timing.ttft_ms
    if len(runs) < 2:
        return None, None
    small = runs[0].timing
    decode = extrapolate_ms(small.token_ms[1:], timing.token_ms[1:], layers[0], layers[-1], total)
    ttft = extrapolate_ms([small.ttft_ms], [timing.ttft_ms], layers[0], layers[-1], total)
    return decode, ttft
