"""How likely a model holds a text: tokens, and log-probabilities place by place, in memory that does not grow with the
text. Arithmetic over the vocabulary is numpy's, on which llama-cpp-python depends.
"""

from __future__ import annotations

import ctypes
from hashlib import sha256
from typing import Any

from advisor.engine.loading import Loaded, require_vocabulary
from advisor.engine.native import Native, NativeError
from advisor.engine.resident_model import ResidentModel
from advisor.engine.running import clear
from advisor.engine.text import plain_tokens, token_bytes
from advisor.engine.trial_messages import ScoreParams, ScoreResult, TokensParams, TokensResult


def tokens_of(native: Native, kept: ResidentModel, params: TokensParams) -> TokensResult:
    """Cut a text into tokens. Raises NativeError for a file without a vocabulary."""
    loaded = kept.loaded(native, params.model_path, params.context)
    require_vocabulary(loaded)
    lib, vocab = native.lib, native.lib.llama_model_get_vocab(loaded.model)
    tokens = plain_tokens(lib, vocab, params.text.encode("utf-8"))
    begins = int(lib.llama_vocab_bos(vocab)) if lib.llama_vocab_get_add_bos(vocab) else None
    digest = sha256()
    for token in range(loaded.facts.n_vocab):
        digest.update(token_bytes(lib, vocab, token) + b"\0")
    return TokensResult(
        tokens=tuple(tokens),
        n_bytes=tuple([len(token_bytes(lib, vocab, token)) for token in tokens]),
        begins_with=begins,
        vocabulary_sha256=digest.hexdigest(),
        model=loaded.facts,
    )


def score(native: Native, kept: ResidentModel, params: ScoreParams) -> ScoreResult:
    """Log-probabilities of tokens, each after those before it. Raises NativeError for senseless windows."""
    n = len(params.tokens)
    n_scored = n - params.n_skipped
    if params.n_skipped < 1 or n_scored < 1 or len(params.asked) != params.n_asked * n_scored:
        raise NativeError("request", "nothing to score")
    loaded = kept.loaded(native, params.model_path, params.context)
    n_vocab = loaded.facts.n_vocab
    if not all(0 <= token < n_vocab for token in (*params.tokens, *params.asked)) or params.n_top > n_vocab:
        raise NativeError("request", "a token is not in the vocabulary")
    if n > int(native.lib.llama_n_ctx_seq(loaded.context)):
        raise NativeError("request", f"{n} tokens exceed the context")
    clear(native.lib, loaded)
    rows = _Rows(params)
    size = int(native.lib.llama_n_batch(loaded.context))
    for start in range(0, n, size):
        _evaluate_all(native.lib, loaded, params.tokens[start : start + size], start)
        for place in range(start, min(start + size, n)):
            if params.n_skipped - 1 <= place < n - 1:
                rows.add(_logits(native.lib, loaded, place - start, n_vocab), place + 1)
    return rows.result()


class _Rows:
    """What was found place by place."""

    def __init__(self, params: ScoreParams) -> None:
        import numpy

        self._numpy: Any = numpy
        self._params = params
        self._own: list[float] = []
        self._top: list[int] = []
        self._top_values: list[float] = []
        self._asked: list[float] = []
        self._best: list[int] = []

    def add(self, logits: Any, place: int) -> None:
        """The distribution over what stands at a place."""
        np, params = self._numpy, self._params
        values = logits.astype(np.float64)
        values -= values.max()
        values -= np.log(np.exp(values).sum())
        self._own.append(float(values[params.tokens[place]]))
        self._best.append(int(values.argmax()))
        if params.n_top:
            likeliest = np.argpartition(values, -params.n_top)[-params.n_top :]
            # Ties go by the token's number, so that the same model says the same.
            ordered = likeliest[np.lexsort((likeliest, -values[likeliest]))]
            self._top += [int(token) for token in ordered]
            self._top_values += [float(value) for value in values[ordered]]
        if params.n_asked:
            start = (place - params.n_skipped) * params.n_asked
            asked = list(params.asked[start : start + params.n_asked])
            self._asked += [float(value) for value in values[asked]]

    def result(self) -> ScoreResult:
        return ScoreResult(
            tuple(self._own), tuple(self._top), tuple(self._top_values), tuple(self._asked), tuple(self._best)
        )


def _evaluate_all(lib: Any, loaded: Loaded, tokens: tuple[int, ...], start: int) -> None:
    """Run tokens with logits for each of them."""
    batch = lib.llama_batch_init(len(tokens), 0, 1)
    try:
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, start + i
            batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, True
        code = lib.llama_decode(loaded.context, batch)
        if code != 0:
            raise NativeError("run", f"llama_decode returned {code}")
        lib.llama_synchronize(loaded.context)
    finally:
        lib.llama_batch_free(batch)


def _logits(lib: Any, loaded: Loaded, index: int, n_vocab: int) -> Any:
    import numpy

    pointer = lib.llama_get_logits_ith(loaded.context, index)
    if not pointer:
        raise NativeError("run", "llama.cpp gave no logits")
    return numpy.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), shape=(n_vocab,))
