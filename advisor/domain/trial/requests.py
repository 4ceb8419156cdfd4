"""What can be asked of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from advisor.domain.trial.outcome import Sampling
from advisor.domain.trial.tasks import DEFAULT_MAX_TOKENS

DEFAULT_SAMPLING = Sampling(DEFAULT_MAX_TOKENS)
DEFAULT_CONTEXT = 4096
"""Tokens of a conversation with its answer."""


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What is tried, and how."""

    tasks: Path
    files: tuple[Path, ...] = ()
    """GGUF files."""
    models: tuple[str, ...] = ()
    """`MODEL` or `MODEL:QUANT` of the catalogue with a file on this machine."""
    sampling: Sampling = DEFAULT_SAMPLING
    context_tokens: int = DEFAULT_CONTEXT
    jobs: int | None = None
    """Models at once; None leaves it to memory and cores."""
    allow_code: bool = False
    threads: int | None = None
    """None for the usable physical cores."""


DEFAULT_TOKENS = 8192
DEFAULT_WINDOW = 512
"""Tokens of a window: what llama.cpp's own perplexity tool takes unless told otherwise."""
N_TOP = 32
"""Likeliest tokens that are compared."""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """What is scored."""

    text: Path
    files: tuple[Path, ...]
    """One, or a reference and another one."""
    max_tokens: int = DEFAULT_TOKENS
    """Tokens of the text from its beginning; more take longer."""
    window_tokens: int = DEFAULT_WINDOW
    n_top: int = N_TOP
