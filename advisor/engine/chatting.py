"""Answering a conversation in the child, with the file's own chat template."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

from advisor.engine.loading import Loaded, require_vocabulary
from advisor.engine.messages import Template
from advisor.engine.native import Native, NativeError
from advisor.engine.resident_model import ResidentModel
from advisor.engine.running import Emit, clear, next_token, progress, require_room
from advisor.engine.text import Sampler, conversation_tokens, rendered_tokens, token_bytes
from advisor.engine.trial_messages import ChatParams, ChatResult


def chat(native: Native, kept: ResidentModel, params: ChatParams, emit: Emit) -> ChatResult:
    """Answer a conversation. Raises NativeError for a file without a vocabulary and a prompt beyond the context."""
    if not params.turns or params.max_tokens < 1:
        raise NativeError("request", "nothing to answer")
    loaded = kept.loaded(native, params.model_path, params.context, progress=progress(emit, 0))
    require_vocabulary(loaded)
    tokens, template = _prompt(native.lib, loaded, params)
    n_free = require_room(native.lib, loaded, len(tokens))
    clear(native.lib, loaded)
    with Sampler(native.lib, params.temperature, params.seed) as sampler:
        writing = _Writing(native.lib, loaded, sampler, params)
        writing.run(tokens, min(params.max_tokens, n_free))
    at_limit = "length" if n_free >= params.max_tokens else "context"
    return ChatResult(
        text=writing.text,
        n_tokens=writing.n_tokens,
        n_prompt=len(tokens),
        stop=writing.ended or at_limit,
        template=template,
        ttft_ms=writing.ttft_ms,
        decode_ms=writing.decode_ms,
    )


def _prompt(lib: Any, loaded: Loaded, params: ChatParams) -> tuple[list[int], Template]:
    if params.rendered is not None:
        return rendered_tokens(lib, lib.llama_model_get_vocab(loaded.model), params.rendered), "applied"
    return conversation_tokens(lib, loaded.model, [(turn.role, turn.content) for turn in params.turns])


class _Writing:
    """One answer, token by token."""

    def __init__(self, lib: Any, loaded: Loaded, sampler: Sampler, params: ChatParams) -> None:
        self._lib = lib
        self._loaded = loaded
        self._sampler = sampler
        self._stops = tuple(text for text in params.stop if text)
        self._longest = max(map(len, self._stops), default=0)
        self._vocab = lib.llama_model_get_vocab(loaded.model)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.text = ""
        self.n_tokens = 0
        self.ttft_ms = self.decode_ms = 0.0
        self.ended: str | None = None

    def run(self, prompt: Sequence[int], limit: int) -> None:
        """Write until the model ends, a stop text comes, or the limit is reached."""
        token, self.ttft_ms = next_token(self._lib, self._loaded, prompt, self._sampler)
        while not self._take(token) and self.n_tokens < limit:
            token, milliseconds = next_token(self._lib, self._loaded, [token], self._sampler)
            self.decode_ms += milliseconds
        if self.ended != "stop":
            self.text += self._decoder.decode(b"", final=True)

    def _take(self, token: int) -> bool:
        """Whether the answer ends with this token; otherwise it is written down."""
        if self._lib.llama_vocab_is_eog(self._vocab, token):
            self.ended = "end"
            return True
        self.n_tokens += 1
        piece = self._decoder.decode(token_bytes(self._lib, self._vocab, token))
        searched_from = max(0, len(self.text) - self._longest)
        self.text += piece
        found = [place for text in self._stops if (place := self.text.find(text, searched_from)) >= 0]
        if found:
            self.text, self.ended = self.text[: min(found)], "stop"
        return bool(found)
