"""Answering the questions of a smoke test in the child, each result told as soon as it is there."""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from advisor.engine.asks import FILLER_MARK, Ask, AskParams, AskResult, Ending, Given
from advisor.engine.codec import to_json
from advisor.engine.loading import Loaded, open_model
from advisor.engine.memory import OthersMeter, baseline_rss_bytes, peak_rss_bytes
from advisor.engine.messages import Template
from advisor.engine.native import Native, NativeError
from advisor.engine.running import Emit, clear, evaluate, progress
from advisor.engine.text import Sampler, prompt_tokens, rendered_tokens, token_bytes, tokenize


def answer(native: Native, params: AskParams, emit: Emit) -> AskResult:
    """Answer all questions. Raises NativeError for a file without a vocabulary, or one that cannot be run at all."""
    if not params.asks:
        raise NativeError("request", "nothing to answer")
    baseline, meter = baseline_rss_bytes(), OthersMeter()
    with open_model(native, params.model_path, params.context, progress=progress(emit, 0)) as loaded:
        if not loaded.facts.has_vocabulary:
            raise NativeError("request", "the file has no vocabulary, so it cannot turn text into tokens")
        evaluate(native.lib, loaded, [0])  # touches all weights for the first time
        run = _Run(native, loaded, emit)
        given = tuple([run.ask(index, ask) for index, ask in enumerate(params.asks)])
        load_ms = loaded.load_ms + loaded.context_ms
        return AskResult(loaded.facts, loaded.memory, load_ms, given, baseline, peak_rss_bytes(), meter.cores())


@dataclass(slots=True)
class _Written:
    """One answer."""

    pieces: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    first_ms: float = 0.0
    token_ms: list[float] = field(default_factory=list)
    ending: Ending = "length"


class _Run:
    """One loaded model."""

    def __init__(self, native: Native, loaded: Loaded, emit: Emit) -> None:
        self._native = native
        self._lib = native.lib
        self._loaded = loaded
        self._emit = emit
        self._vocab = native.lib.llama_model_get_vocab(loaded.model)
        self._slot = int(native.lib.llama_n_ctx_seq(loaded.context))
        self._tokens_per_s: float | None = None

    def ask(self, index: int, ask: Ask) -> Given:
        """Answer a question; what hinders this one alone is told with it."""
        self._emit("progress", {"stage": "ask", "id": ask.id})
        try:
            given = self._answer(index, ask)
        except NativeError as error:
            given = Given(ask.id, "", 0, "length", "missing", 0, (), (), problem=str(error))
        self._emit("progress", {"stage": "given", "id": ask.id, "given": to_json(given)})
        return given

    def _answer(self, index: int, ask: Ask) -> Given:
        prompt, seconds = self._filled(ask)
        tokens, template = self._tokens(prompt, ask.is_rendered)
        if self._slot - len(tokens) < 1:
            raise NativeError("request", f"the prompt has {len(tokens)} tokens, more than the context holds")
        written = []
        for _ in range(max(1, ask.repeats)):
            clear(self._lib, self._loaded)
            grammar = _grammar(self._lib, ask.json_schema) if ask.json_schema else None
            with Sampler(self._lib, 0.0, 0, grammar=grammar, vocab=self._vocab) as sampler:
                written.append(self._write(index, ask, tokens, sampler))
        best = min(each.first_ms for each in written)
        self._tokens_per_s = 1000 * len(tokens) / best
        return Given(
            id=ask.id,
            text="".join(written[0].pieces),
            n_tokens=len(written[0].pieces),
            ending=written[0].ending,
            template=template,
            n_prompt=len(tokens),
            prompt_ms=tuple([each.first_ms for each in written]),
            token_ms=tuple([ms for each in written for ms in each.token_ms[1:]]),
            is_same=None if len(written) < 2 else all(each.tokens == written[0].tokens for each in written),
            fill_seconds=seconds,
        )

    def _filled(self, ask: Ask) -> tuple[str, float | None]:
        """The prompt with its filler, and the seconds that the whole of it would take."""
        marks = ask.prompt.count(FILLER_MARK)
        if not marks or not ask.filler:
            return ask.prompt, None
        bare = len(self._tokens(ask.prompt.replace(FILLER_MARK, ""), ask.is_rendered)[0])
        each = len(tokenize(self._lib, self._vocab, ask.filler.format(n=100).encode(), special=False))
        wanted = min(ask.fill_tokens, self._slot - ask.max_tokens) - bare
        seconds = None if self._tokens_per_s is None else (wanted + bare) / self._tokens_per_s
        if seconds is not None and ask.fill_budget_s and seconds > ask.fill_budget_s:
            wanted = int(ask.fill_budget_s * (self._tokens_per_s or 0.0)) - bare
        per_mark = max(1, wanted // each // marks)
        parts = ask.prompt.split(FILLER_MARK)
        text = parts[0]
        for number, part in enumerate(parts[1:]):
            text += "".join([ask.filler.format(n=number * per_mark + i + 1) for i in range(per_mark)]) + part
        return text, seconds

    def _tokens(self, prompt: str, is_rendered: bool) -> tuple[list[int], Template]:
        if not is_rendered:
            return prompt_tokens(self._lib, self._loaded.model, prompt, None)
        return rendered_tokens(self._lib, self._vocab, prompt), "applied"

    def _write(self, index: int, ask: Ask, tokens: Sequence[int], sampler: Sampler) -> _Written:
        limit = min(ask.max_tokens, self._slot - len(tokens))
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        started = perf_counter()
        found = _Written()
        token, found.first_ms = self._next(tokens, sampler)
        ended = False
        while True:
            ended = ended or bool(self._lib.llama_vocab_is_eog(self._vocab, token))
            if not ended:
                found.tokens.append(token)
                found.pieces.append(decoder.decode(token_bytes(self._lib, self._vocab, token)))
                milliseconds = found.token_ms[-1] if found.token_ms else found.first_ms
                payload = {"run": index, "n": len(found.pieces), "ms": milliseconds, "text": found.pieces[-1]}
                self._emit("token", payload)
            if len(found.token_ms) + 1 >= (min(limit, ask.timed_tokens + 1) if ended else limit):
                break
            if perf_counter() - started > ask.limit_s:
                found.ending = "time"
                break
            token, milliseconds = self._next([token], sampler)
            found.token_ms.append(milliseconds)
        if rest := decoder.decode(b"", final=True):
            found.pieces[-1] += rest  # the answer was cut within a character
        if ended:
            found.ending = "end"
        elif found.ending != "time":
            found.ending = "length" if limit == ask.max_tokens else "context"
        return found

    def _next(self, tokens: Sequence[int], sampler: Sampler) -> tuple[int, float]:
        started = perf_counter()
        evaluate(self._lib, self._loaded, tokens)
        token = sampler.sample(self._loaded.context)
        return token, 1000 * (perf_counter() - started)


def _grammar(lib: Any, schema: str) -> str:
    """The schema as a grammar of llama.cpp, by the bindings' own converter. Raises NativeError."""
    try:
        return str(lib.llama_grammar.json_schema_to_gbnf(schema))
    except (AttributeError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise NativeError("request", f"no grammar can be made of the schema: {error}") from error
