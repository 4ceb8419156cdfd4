"""What can go wrong at a Hub: answers in the place of the right one, each scripted for a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CHUNK_BYTES = 1 << 16
"""Of a body, between two pauses."""


@dataclass(frozen=True)
class Answer:
    """A scripted answer in place of the right one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Truncated:
    """The right answer, of which only so many bytes of the body are sent before the connection closes."""

    n_bytes: int


@dataclass(frozen=True)
class Silence:
    """No answer for so long, then none at all. It ends early when the server is closed."""

    seconds: float = 30.0


@dataclass(frozen=True)
class Hangup:
    """The connection closes without an answer."""


@dataclass(frozen=True)
class Slow:
    """The right answer, with a pause before every chunk of its body. It ends early when the server is closed."""

    seconds_per_chunk: float
    chunk_bytes: int = CHUNK_BYTES


@dataclass(frozen=True)
class Corrupt:
    """The right answer with the first byte of its body changed."""


@dataclass(frozen=True)
class Unranged:
    """The whole file, whatever part was asked for."""


Fault = Answer | Truncated | Silence | Hangup | Slow | Corrupt | Unranged


def too_many(retry_after: str | None = None) -> Answer:
    """What the Hub says to who asks too much."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(429, b'{"error":"You have exceeded the rate limit"}', headers)
