"""Text to tokens and back, through the file's own vocabulary and chat template."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any

from advisor.engine.messages import Template
from advisor.engine.native import NativeError


def prompt_tokens(lib: Any, model: Any, prompt: str, system: str | None) -> tuple[list[int], Template]:
    """The tokens of one user message, in the file's chat template where llama.cpp knows it. Raises NativeError."""
    messages = [("system", system)] if system else []
    return conversation_tokens(lib, model, [*messages, ("user", prompt)])


def conversation_tokens(lib: Any, model: Any, messages: list[tuple[str, str]]) -> tuple[list[int], Template]:
    """The tokens of a conversation, roles with texts, in the file's chat template. Raises NativeError."""
    text, template = templated(lib, model, messages)
    return tokenize(lib, lib.llama_model_get_vocab(model), text), template


def rendered_tokens(lib: Any, vocab: Any, text: str) -> list[int]:
    """The tokens of a text that a chat template made: one that begins with the first token itself gets no second."""
    bos = bos_text(lib, vocab)
    return tokenize(lib, vocab, text.encode("utf-8"), special=not (bos and text.startswith(bos)))


def plain_tokens(lib: Any, vocab: Any, text: bytes) -> list[int]:
    """The tokens of a text as it is: nothing is added, and names of control tokens are text like any other."""
    return tokenize(lib, vocab, text, special=False, control=False)


def token_bytes(lib: Any, vocab: Any, token: int) -> bytes:
    """The bytes of a token, which may be part of a character; control tokens have none."""
    buffer = ctypes.create_string_buffer(256)
    length = int(lib.llama_token_to_piece(vocab, token, buffer, len(buffer), 0, False))
    if length < 0:
        buffer = ctypes.create_string_buffer(-length)
        length = int(lib.llama_token_to_piece(vocab, token, buffer, len(buffer), 0, False))
    return buffer.raw[: max(0, length)]


def templated(lib: Any, model: Any, messages: list[tuple[str, str]]) -> tuple[bytes, Template]:
    """Messages in the chat template that llama.cpp recognises in the file, or as they are."""
    plain = "\n\n".join(content for _, content in messages).encode("utf-8")
    template = lib.llama_model_chat_template(model, None)
    if not template:
        return plain, "missing"
    chat = (lib.llama_chat_message * len(messages))(
        *[lib.llama_chat_message(role.encode("utf-8"), _c_text(content)) for role, content in messages]
    )
    size = int(lib.llama_chat_apply_template(template, chat, len(messages), True, None, 0))
    if size < 0:
        return plain, "unsupported"
    buffer = ctypes.create_string_buffer(size + 1)
    lib.llama_chat_apply_template(template, chat, len(messages), True, buffer, size + 1)
    return buffer.raw[:size], "applied"


def _c_text(text: str) -> bytes:
    if "\0" in text:
        raise NativeError("request", "a prompt cannot contain a zero character")
    return text.encode("utf-8")


def tokenize(lib: Any, vocab: Any, text: bytes, *, special: bool = True, control: bool = True) -> list[int]:
    """The tokens of a text, after the one that begins a text if `special`; without `control`, names of control tokens
    are text like any other. Raises NativeError where it has none."""
    needed = -int(lib.llama_tokenize(vocab, text, len(text), None, 0, special, control))
    if needed <= 0:
        raise NativeError("request", "the prompt has no tokens")
    tokens = (lib.llama_token * needed)()
    count = int(lib.llama_tokenize(vocab, text, len(text), tokens, needed, special, control))
    return list(tokens[:count])


def bos_text(lib: Any, vocab: Any) -> str:
    """How the token that begins a text is written; empty where there is none."""
    token = int(lib.llama_vocab_bos(vocab))
    if token < 0:
        return ""
    buffer = ctypes.create_string_buffer(256)
    length = int(lib.llama_token_to_piece(vocab, token, buffer, len(buffer), 0, True))
    return buffer.raw[: max(0, length)].decode("utf-8", errors="replace")


class Sampler:
    """Takes the likeliest token, or draws one by temperature and seed, of those that a grammar allows."""

    def __init__(
        self, lib: Any, temperature: float, seed: int, *, grammar: str | None = None, vocab: Any = None
    ) -> None:
        self._lib = lib
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar is not None:
            allowed = lib.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            if not allowed:
                lib.llama_sampler_free(self._chain)
                raise NativeError("request", "llama.cpp refuses the grammar")
            lib.llama_sampler_chain_add(self._chain, allowed)
        if temperature > 0:
            lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_dist(seed))
        else:
            lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_greedy())

    def __enter__(self) -> Sampler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lib.llama_sampler_free(self._chain)

    def sample(self, context: Any) -> int:
        """The token after the last one evaluated."""
        return int(self._lib.llama_sampler_sample(self._chain, context, -1))
