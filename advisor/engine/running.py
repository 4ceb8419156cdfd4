"""Really running a model in the child: timed prefill and decode, and generated text."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import Any

from advisor.engine.loading import Loaded, open_model, require_vocabulary
from advisor.engine.memory import OthersMeter, baseline_rss_bytes, peak_rss_bytes
from advisor.engine.messages import (
    Answer,
    BenchParams,
    BenchResult,
    BenchRun,
    GenerateParams,
    GenerateResult,
    Stop,
    Timing,
)
from advisor.engine.native import Native, NativeError
from advisor.engine.text import Sampler, prompt_tokens, token_bytes

Emit = Callable[[str, Mapping[str, Any]], None]
"""Sends an event: its kind and its payload."""


def bench(native: Native, params: BenchParams, emit: Emit) -> BenchResult:
    """Time models on random tokens, all in turn. Raises NativeError where one cannot be loaded or run."""
    if not params.model_paths or params.n_prompt < 1 or params.n_decode < 0 or params.prefill_repeats < 1:
        raise NativeError("request", "nothing to time")
    if params.n_prompt + params.n_decode > params.context.slot_tokens:
        raise NativeError("request", f"{params.n_prompt + params.n_decode} tokens exceed the context")
    baseline, meter = baseline_rss_bytes(), OthersMeter()
    with ExitStack() as stack:
        timers = []
        for index, path in enumerate(params.model_paths):
            tell = progress(emit, index)
            loaded = stack.enter_context(open_model(native, path, params.context, progress=tell))
            timers.append(_Timer(native.lib, loaded, params.seed))
        _time_in_turn(timers, params, emit)
        runs = tuple([BenchRun(t.loaded.facts, t.loaded.memory, t.timing(params.n_prompt)) for t in timers])
        return BenchResult(runs, baseline, peak_rss_bytes(), meter.cores())


def progress(emit: Emit, index: int) -> Callable[[float], None]:
    """Reports loading in whole percent."""
    reported = -1

    def report(share: float) -> None:
        nonlocal reported
        if int(share * 100) > reported:
            reported = int(share * 100)
            emit("progress", {"stage": "load", "run": index, "share": share})

    return report


def _time_in_turn(timers: Sequence[_Timer], params: BenchParams, emit: Emit) -> None:
    for timer in timers:
        timer.warm_up()
    for _ in range(params.prefill_repeats):
        for timer in timers:
            timer.prefill(params.n_prompt)
    for number in range(params.n_decode):
        for index, timer in enumerate(timers):
            milliseconds = timer.decode_one()
            emit("token", {"run": index, "n": number + 1, "ms": milliseconds})


class Clocked:
    """One model, and random tokens that are evaluated by the clock."""

    def __init__(self, lib: Any, loaded: Loaded, seed: int) -> None:
        self.loaded = loaded
        self._lib = lib
        self._random = random.Random(seed)

    def timed_ms(self, tokens: Sequence[int]) -> float:
        """Milliseconds to evaluate the tokens behind those in the cache."""
        started = perf_counter()
        evaluate(self._lib, self.loaded, tokens)
        return 1000 * (perf_counter() - started)

    def tokens(self, count: int) -> list[int]:
        """So many random tokens."""
        return [self._random.randrange(max(1, self.loaded.facts.n_vocab)) for _ in range(count)]


class _Timer(Clocked):
    """One model being timed."""

    def __init__(self, lib: Any, loaded: Loaded, seed: int) -> None:
        super().__init__(lib, loaded, seed)
        self._warmup_ms = 0.0
        self._prefill_ms: list[float] = []
        self._token_ms: list[float] = []

    def warm_up(self) -> None:
        self._warmup_ms = self.timed_ms([0])
        clear(self._lib, self.loaded)

    def prefill(self, n_tokens: int) -> None:
        clear(self._lib, self.loaded)
        self._prefill_ms.append(self.timed_ms(self.tokens(n_tokens)))

    def decode_one(self) -> float:
        milliseconds = self.timed_ms(self.tokens(1))
        self._token_ms.append(milliseconds)
        return milliseconds

    def timing(self, n_prompt: int) -> Timing:
        """The random tokens stand for sampled ones, so the first token is there when the prompt has been read."""
        return make_timing(self.loaded, self._warmup_ms, n_prompt, median(self._prefill_ms), self._token_ms)


def make_timing(loaded: Loaded, warmup_ms: float, n_prompt: int, ttft_ms: float, token_ms: Sequence[float]) -> Timing:
    """Speeds from single times; the first decoded token does not count."""
    steady = token_ms[1:]
    return Timing(
        load_ms=loaded.load_ms + loaded.context_ms,
        warmup_ms=warmup_ms,
        n_prompt=n_prompt,
        ttft_ms=ttft_ms,
        prefill_tokens_per_s=1000 * n_prompt / ttft_ms,
        decode_tokens_per_s=1000 / median(steady) if steady else None,
        token_ms=tuple(token_ms),
    )


def evaluate(lib: Any, loaded: Loaded, tokens: Sequence[int]) -> None:
    """Run tokens through the model, in batches, and wait for the last. Raises NativeError."""
    size = int(lib.llama_n_batch(loaded.context))
    for start in range(0, len(tokens), size):
        part = tokens[start : start + size]
        array = (lib.llama_token * len(part))(*part)  # the batch only points to it, so it must outlive the call
        code = lib.llama_decode(loaded.context, lib.llama_batch_get_one(array, len(part)))
        if code != 0:
            raise NativeError("run", f"llama_decode returned {code}")
    lib.llama_synchronize(loaded.context)


def next_token(lib: Any, loaded: Loaded, tokens: Sequence[int], sampler: Sampler) -> tuple[int, float]:
    """The token that follows so many, and the milliseconds that it took. Raises NativeError."""
    started = perf_counter()
    evaluate(lib, loaded, tokens)
    token = sampler.sample(loaded.context)
    return token, 1000 * (perf_counter() - started)


def require_room(lib: Any, loaded: Loaded, n_prompt: int) -> int:
    """Tokens that fit into a sequence behind the prompt's. Raises NativeError where none does."""
    n_free = int(lib.llama_n_ctx_seq(loaded.context)) - n_prompt
    if n_free < 1:
        raise NativeError("request", f"the prompt has {n_prompt} tokens, more than the context holds")
    return n_free


def clear(lib: Any, loaded: Loaded) -> None:
    """Forget all tokens."""
    lib.llama_memory_clear(lib.llama_get_memory(loaded.context), True)


def generate(native: Native, params: GenerateParams, emit: Emit) -> GenerateResult:
    """Answer prompts. Raises NativeError for a file without a vocabulary, or one that cannot be run."""
    if not params.prompts or params.max_tokens < 1:
        raise NativeError("request", "nothing to generate")
    baseline, meter = baseline_rss_bytes(), OthersMeter()
    opened = open_model(native, params.model_path, params.context, progress=progress(emit, 0))
    with opened as loaded:
        require_vocabulary(loaded)
        writer = _Writer(native.lib, loaded, params, emit)
        answers = tuple([writer.answer(index, prompt) for index, prompt in enumerate(params.prompts)])
        peak = peak_rss_bytes()
        return GenerateResult(loaded.facts, loaded.memory, answers, baseline, peak, meter.cores())


class _Writer:
    """Answers prompts with one loaded model."""

    def __init__(self, lib: Any, loaded: Loaded, params: GenerateParams, emit: Emit) -> None:
        self._lib = lib
        self._loaded = loaded
        self._params = params
        self._emit = emit
        self._vocab = lib.llama_model_get_vocab(loaded.model)
        started = perf_counter()
        evaluate(lib, loaded, [0])
        self._warmup_ms = 1000 * (perf_counter() - started)

    def answer(self, index: int, prompt: str) -> Answer:
        tokens, template = prompt_tokens(self._lib, self._loaded.model, prompt, self._params.system)
        n_free = require_room(self._lib, self._loaded, len(tokens))
        clear(self._lib, self._loaded)
        with Sampler(self._lib, self._params.temperature, self._params.seed) as sampler:
            pieces, ttft_ms, token_ms, stop = self._write(index, tokens, n_free, sampler)
        timing = make_timing(self._loaded, self._warmup_ms, len(tokens), ttft_ms, token_ms)
        return Answer("".join(pieces), len(pieces), stop, template, timing)

    def _write(
        self, index: int, tokens: Sequence[int], n_free: int, sampler: Sampler
    ) -> tuple[list[str], float, list[float], Stop]:
        """The text of each token, time to the first, times of the following ones, and why it ended."""
        limit = min(self._params.max_tokens, n_free)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        pieces: list[str] = []
        token_ms: list[float] = []
        token, ttft_ms = next_token(self._lib, self._loaded, tokens, sampler)
        ended = False
        while True:
            ended = ended or bool(self._lib.llama_vocab_is_eog(self._vocab, token))
            if not ended:
                pieces.append(decoder.decode(token_bytes(self._lib, self._vocab, token)))
                milliseconds = token_ms[-1] if token_ms else ttft_ms
                self._emit("token", {"run": index, "n": len(pieces), "ms": milliseconds, "text": pieces[-1]})
            if len(token_ms) + 1 >= (min(limit, self._params.timed_tokens + 1) if ended else limit):
                break
            token, milliseconds = next_token(self._lib, self._loaded, [token], sampler)
            token_ms.append(milliseconds)
        if rest := decoder.decode(b"", final=True):
            pieces[-1] += rest  # the answer was cut within a character
        return pieces, ttft_ms, token_ms, _stop(ended, limit == self._params.max_tokens)


def _stop(ended: bool, at_limit: bool) -> Stop:
    return "end" if ended else "length" if at_limit else "context"
