"""A text of the user's through one or two files: windows of tokens, scored one after the other."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from advisor.cancelling import cancelling
from advisor.domain.hardware import Machine
from advisor.domain.local_files import LocalFile
from advisor.domain.matching import Index
from advisor.domain.pools import threads_for
from advisor.domain.trial.requests import TextRequest
from advisor.domain.trial.text_loss import (
    TextComparison,
    TextScores,
    divergence,
    text_difference,
    text_loss,
)
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams
from advisor.engine.trial_messages import ScoreParams, ScoreResult, TokensParams, TokensResult
from advisor.errors import InputError
from advisor.files import read_bounded
from advisor.local_files.hashing import Hashes
from advisor.trial.contestants import file_sha256, look_at
from advisor.units import MIB

MAX_BYTES = 16 * MIB
_BATCH = 128
"""Places whose logits are held at once: 64 MB for a vocabulary of 128 k."""
LEAST_TOKENS = 64

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _Window:
    """Tokens, of which those after the skipped ones are scored."""

    tokens: tuple[int, ...]
    n_skipped: int


def compare_on_text(
    request: TextRequest,
    index: Index,
    hashes: Hashes,
    machine: Machine,
    on_share: OnShare | None,
    cancel: threading.Event | None,
) -> TextComparison:
    """Score the text with each file. Raises InputError, and EngineError from the engine."""
    text = _read(request.text)
    files = [look_at(path, index) for path in request.files]
    names = _names(files, request.files)
    digests = [file_sha256(path, hashes, cancel) for path in request.files]
    if len(set(digests)) < len(digests):
        raise InputError("the two files are the same", why="their content is equal")
    run = _Scoring(request, text, machine, on_share, cancel)
    scores = [
        run.scores(path, name, digest, file.n_bytes)
        for path, name, digest, file in zip(request.files, names, digests, files, strict=True)
    ]
    difference = text_difference(scores[0], scores[1], request.n_top) if len(scores) == 2 else None
    return TextComparison(
        text_name=request.text.name,
        text_sha256=sha256(text.encode("utf-8")).hexdigest(),
        n_bytes=sum(scores[0].token_bytes),
        n_tokens=len(scores[0].token_bytes),
        window_tokens=request.window_tokens,
        losses=tuple(text_loss(one) for one in scores),
        difference=difference,
        notes=tuple(run.notes),
    )


def _names(files: Sequence[LocalFile], paths: Sequence[Path]) -> list[str]:
    """Model and quantization where the catalogue knows it, else the file's name."""
    found = [
        f"{file.match.model}:{file.match.quantization}" if file.match else path.stem
        for file, path in zip(files, paths, strict=True)
    ]
    return found if len(set(found)) == len(found) else [path.name for path in paths]


class _Scoring:
    """One pass for each file; the reference's pass keeps what the other is held against."""

    def __init__(
        self,
        request: TextRequest,
        text: str,
        machine: Machine,
        on_share: OnShare | None,
        cancel: threading.Event | None,
    ) -> None:
        self._request = request
        self._text = text
        self._threads = threads_for(machine)
        self._on_share = on_share
        self._cancel = cancel
        self._tokens: TokensResult | None = None
        self._top = array("i")
        self._top_values = array("f")
        self._best = array("i")
        self.notes: list[str] = []

    def scores(self, path: Path, name: str, digest: str, n_bytes: int) -> TextScores:
        context = ContextParams(
            n_ctx=self._request.window_tokens, n_batch=_BATCH, n_ubatch=_BATCH, n_gpu_layers=0, threads=self._threads
        )
        with EngineClient(threads=self._threads) as client, cancelling(client.cancel, self._cancel):
            cut = ops.tokens_of(client, TokensParams(str(path), self._text, context))
            is_reference = self._tokens is None
            reference = self._reference(cut, name)
            n = min(len(reference.tokens), self._request.max_tokens)
            own: list[float] = []
            agreed: list[bool] = []
            divergences: list[float] = []
            for window in self._windows(reference, n):
                result = ops.score(client, self._params(str(path), context, window, is_reference, len(own)))
                if is_reference:
                    self._keep(result)
                else:
                    self._compare(result, len(own), agreed, divergences)
                own += result.log_probabilities
                if self._on_share is not None:
                    self._on_share(name, len(own) / n)
        n_skipped = 0 if reference.begins_with is not None else 1
        bytes_of = reference.n_bytes[n_skipped:n]
        return TextScores(name, digest, n_bytes, tuple(own), bytes_of, tuple(agreed), tuple(divergences))

    def _reference(self, cut: TokensResult, name: str) -> TokensResult:
        """The first file's tokens, which the second must share. Raises InputError."""
        if self._tokens is None:
            if len(cut.tokens) < LEAST_TOKENS:
                why = f"{len(cut.tokens)} tokens; at least {LEAST_TOKENS} are needed"
                raise InputError(f"{self._request.text} is too short", why=why)
            if len(cut.tokens) > self._request.max_tokens:
                self.notes.append(f"the first {self._request.max_tokens:,} of {len(cut.tokens):,} tokens were scored")
            self._tokens = cut
            return cut
        same = (cut.vocabulary_sha256, cut.tokens, cut.begins_with)
        if same != (self._tokens.vocabulary_sha256, self._tokens.tokens, self._tokens.begins_with):
            hint = "Compare two quantizations of one model."
            raise InputError(f"{name} cuts the text into other tokens", why="the tokenizers differ", hint=hint)
        return self._tokens

    def _windows(self, cut: TokensResult, n: int) -> Iterator[_Window]:
        """Each token is scored once: in the first window all, then the second half of each window."""
        size = self._request.window_tokens
        head = () if cut.begins_with is None else (cut.begins_with,)
        tokens = cut.tokens[:n]
        end = min(n, size - len(head))
        yield _Window((*head, *tokens[:end]), 1)
        stride = size // 2
        while end < n:
            begin = end + stride + len(head) - size
            upto = min(n, end + stride)
            yield _Window((*head, *tokens[begin:upto]), len(head) + end - begin)
            end = upto

    def _params(
        self, path: str, context: ContextParams, window: _Window, is_reference: bool, n_done: int
    ) -> ScoreParams:
        n_top, n_scored = self._request.n_top, len(window.tokens) - window.n_skipped
        if len(self._request.files) < 2:
            return ScoreParams(path, window.tokens, window.n_skipped, context)
        if is_reference:
            return ScoreParams(path, window.tokens, window.n_skipped, context, n_top=n_top)
        asked = tuple(self._top[n_done * n_top : (n_done + n_scored) * n_top])
        return ScoreParams(path, window.tokens, window.n_skipped, context, asked=asked, n_asked=n_top)

    def _keep(self, result: ScoreResult) -> None:
        self._top.extend(result.top_tokens)
        self._top_values.extend(result.top_log_probabilities)
        self._best.extend(result.best_tokens)

    def _compare(self, result: ScoreResult, n_done: int, agreed: list[bool], divergences: list[float]) -> None:
        n_top = self._request.n_top
        for i, best in enumerate(result.best_tokens):
            start = (n_done + i) * n_top
            reference = self._top_values[start : start + n_top]
            divergences.append(divergence(reference, result.asked_log_probabilities[i * n_top : (i + 1) * n_top]))
            agreed.append(best == self._best[n_done + i])


def _read(path: Path) -> str:
    content = read_bounded(path, MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text", why=f"byte {error.start} is not valid") from error
