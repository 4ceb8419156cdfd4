"""What the child is asked for a trial: answers to conversations, log-probabilities of a text, and quantized files."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.engine.messages import ContextParams, ModelFacts, Template

_CONTEXT = ContextParams()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatParams:
    """A conversation to be answered. The model stays loaded until another one, or another context, is asked for."""

    model_path: str
    turns: tuple[Turn, ...]
    context: ContextParams = _CONTEXT
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    """The answer ends before any of these texts."""
    rendered: str | None = None
    """The conversation as the file's chat template made it; None applies the template that llama.cpp recognises."""


@dataclass(frozen=True, slots=True)
class ChatResult:
    """The answer."""

    text: str
    n_tokens: int
    n_prompt: int
    stop: str
    """As `messages.Stop`, or `stop` where one of the texts ended it."""
    template: Template
    ttft_ms: float
    decode_ms: float
    """For the tokens after the first."""


@dataclass(frozen=True, slots=True)
class TokensParams:
    """A text to be cut into tokens."""

    model_path: str
    text: str
    context: ContextParams = _CONTEXT


@dataclass(frozen=True, slots=True)
class TokensResult:
    """The tokens of a text, without those that a model wants at its beginning."""

    tokens: tuple[int, ...]
    n_bytes: tuple[int, ...]
    """Bytes of the text in each token."""
    begins_with: int | None
    """The token that this model wants at the beginning of a text."""
    vocabulary_sha256: str
    """Over every token's bytes, in order: equal for the same tokenizer alone."""
    model: ModelFacts


@dataclass(frozen=True, slots=True)
class ScoreParams:
    """Tokens whose probabilities are asked for, in one window of the context."""

    model_path: str
    tokens: tuple[int, ...]
    n_skipped: int
    """Tokens at the beginning that only serve as context; at least 1."""
    context: ContextParams = _CONTEXT
    n_top: int = 0
    """Likeliest tokens to be told at each place."""
    asked: tuple[int, ...] = ()
    """Tokens to be told at each place, `n_asked` for each, one place after the other."""
    n_asked: int = 0


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Natural logarithms of probabilities, for each token after the skipped ones."""

    log_probabilities: tuple[float, ...]
    """Of the token that stands there."""
    top_tokens: tuple[int, ...]
    """`n_top` for each place, likeliest first."""
    top_log_probabilities: tuple[float, ...]
    asked_log_probabilities: tuple[float, ...]
    best_tokens: tuple[int, ...]
    """The likeliest token at each place."""


@dataclass(frozen=True, slots=True)
class RequantizeParams:
    """A file to be quantized into another one."""

    model_path: str
    target_path: str
    """In a folder that the child may write to."""
    file_type: int
    """`llama_ftype`."""


@dataclass(frozen=True, slots=True)
class RequantizeResult:
    """What was written."""

    n_bytes: int
