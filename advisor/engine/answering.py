"""Answering the questions of a smoke test in the child, each result told as soon as it is there."""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from advisor.engine.codec import to_json
from advisor.engine.loading import Loaded, open_model, require_vocabulary
from advisor.engine.memory import OthersMeter, baseline_rss_bytes, peak_rss_bytes
from advisor.engine.messages import Template
from advisor.engine.native import Native, NativeError
from advisor.engine.running import Emit, clear, evaluate, next_token, progress, require_room
from advisor.engine.smoke_messages import FILLER_MARK, Ask, AskParams, AskResult, Ending, Given
from advisor.engine.text import Sampler, bos_text, templated, token_bytes, tokenize


def answer(native: Native, params: AskParams, emit: Emit) -> AskResult:
    """Answer all questions. Raises NativeError for a file without a vocabulary, or one that cannot be run at all."""
    if not params.asks:
        raise NativeError("request", "nothing to answer")
    baseline, meter = baseline_rss_bytes(), OthersMeter()
    with open_model(native, params.model_path, params.context, progress=progress(emit, 0)) as loaded:
        require_vocabulary(loaded)
        evaluate(native.lib, loaded, [0])  # touches all weights for the first time
        run = _Run(native, loaded, emit)
        given = tuple([run.ask(index, ask) for index, ask in enumerate(params.asks)])
        load_ms = loaded.load_ms + loaded.context_ms
        return AskResult(loaded.facts, loaded.memory, load_ms, given, baseline, peak_rss_bytes(), meter.cores())


_CHUNK = 512
"""Tokens that are read between two looks at the clock: llama.cpp's own batch on the device."""
_APPLIED: Template = "applied"
_FIRST_FILLER = 1 / 8
"""Share of the filler before what is to be found."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Tokens of a prompt."""

    tokens: list[int]
    is_filler: bool


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
        self._lib = native.lib
        self._loaded = loaded
        self._emit = emit
        self._vocab = native.lib.llama_model_get_vocab(loaded.model)
        self._slot = int(native.lib.llama_n_ctx_seq(loaded.context))

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
        parts, template = self._parts(ask)
        n_tokens = sum(len(part.tokens) for part in parts)
        require_room(self._lib, self._loaded, n_tokens)
        written = []
        for _ in range(max(1, ask.repeats)):
            clear(self._lib, self._loaded)
            n_read, read_s = self._read(parts[:-1], ask.fill_budget_s)
            grammar = _grammar(self._lib, ask.json_schema) if ask.json_schema else None
            with Sampler(self._lib, 0.0, 0, grammar=grammar, vocab=self._vocab) as sampler:
                written.append(self._write(index, ask, parts[-1].tokens, n_read, sampler))
            written[-1].first_ms += 1000 * read_s
        n_prompt = n_read + len(parts[-1].tokens)
        return Given(
            id=ask.id,
            text="".join(written[0].pieces),
            n_tokens=len(written[0].pieces),
            ending=written[0].ending,
            template=template,
            n_prompt=n_prompt,
            prompt_ms=tuple([each.first_ms for each in written]),
            token_ms=tuple([ms for each in written for ms in each.token_ms[1:]]),
            is_same=None if len(written) < 2 else all(each.tokens == written[0].tokens for each in written),
            fill_seconds=written[0].first_ms / 1000 * n_tokens / n_prompt if n_prompt < n_tokens else None,
        )

    def _parts(self, ask: Ask) -> tuple[list[_Part], Template]:
        """The prompt's tokens: what must be read, and between it the filler, which may be cut."""
        text, template = ask.prompt.encode(), _APPLIED
        if not ask.is_rendered:
            text, template = templated(self._lib, self._loaded.model, [("user", ask.prompt)])
        # A template that begins with the first token itself must not get a second one.
        bos = bos_text(self._lib, self._vocab).encode()
        special = not (ask.is_rendered and bos and text.startswith(bos))
        pieces = text.split(FILLER_MARK.encode())
        fixed = [self._tokens(piece, special=special and not i) for i, piece in enumerate(pieces)]
        parts = [_Part(fixed[0], False)]
        wanted = min(ask.fill_tokens, self._slot - ask.max_tokens) - sum(map(len, fixed))
        for number, tokens in enumerate(fixed[1:]):
            # What is to be found stands near the beginning, so that it is read however early the filler is cut.
            share = _FIRST_FILLER if number == 0 and len(fixed) > 2 else 1 - _FIRST_FILLER
            parts += [_Part(self._filler(ask.filler, int(share * wanted)), True), _Part(tokens, False)]
        return parts, template

    def _filler(self, sentence: str, n_tokens: int) -> list[int]:
        """About so many tokens of a sentence again and again, with its number; never more."""
        each = len(self._tokens(sentence.format(n=1000).encode(), special=False))
        text = "".join([sentence.format(n=number + 1) for number in range(n_tokens // max(1, each))])
        return self._tokens(text.encode(), special=False)[: max(0, n_tokens)]

    def _tokens(self, text: bytes, *, special: bool) -> list[int]:
        return tokenize(self._lib, self._vocab, text, special=special) if text else []

    def _read(self, parts: Sequence[_Part], budget_s: float) -> tuple[int, float]:
        """Take parts of a prompt in, filler only while there is time; tokens that were read, and the seconds."""
        started, n_read = perf_counter(), 0
        for part in parts:
            for begin in range(0, len(part.tokens), _CHUNK):
                if part.is_filler and budget_s and perf_counter() - started > budget_s:
                    break
                chunk = part.tokens[begin : begin + _CHUNK]
                evaluate(self._lib, self._loaded, chunk)
                n_read += len(chunk)
        return n_read, perf_counter() - started

    def _write(self, index: int, ask: Ask, tokens: Sequence[int], n_read: int, sampler: Sampler) -> _Written:
        limit = min(ask.max_tokens, self._slot - n_read - len(tokens))
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        started = perf_counter()
        found = _Written()
        token, found.first_ms = next_token(self._lib, self._loaded, tokens, sampler)
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
            token, milliseconds = next_token(self._lib, self._loaded, [token], sampler)
            found.token_ms.append(milliseconds)
        if rest := decoder.decode(b"", final=True):
            found.pieces[-1] += rest  # the answer was cut within a character
        if ended:
            found.ending = "end"
        elif found.ending != "time":
            found.ending = "length" if limit == ask.max_tokens else "context"
        return found


def _grammar(lib: Any, schema: str) -> str:
    """The schema as a grammar of llama.cpp, by the bindings' own converter. Raises NativeError."""
    try:
        return str(lib.llama_grammar.json_schema_to_gbnf(schema))
    except (AttributeError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise NativeError("request", f"no grammar can be made of the schema: {error}") from error
