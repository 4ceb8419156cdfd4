"""The errors a user can meet. Each says what failed, why, and what to do next.

AdvisorError
├── InputError          a file, key, flag or value that cannot be used
│   └── NotProbedError  a machine that was only described, where files for a real one are asked for
├── NoCandidateError    the constraints leave nothing
├── CheckFailedError    a smoke test or a verification came out negative
├── NetworkError        the network, or what answered there, failed
└── EngineError         llama.cpp is missing, broke or hung

Exit codes belong to the command line (`advisor.cli.diagnostics`), not to the errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOST_CHARACTERS = 900
"""Of each part of an error. Foreign keys and values stand in them, and nobody reads more."""
_KEPT_END = 100
_ALMOST = 0.9
"""Similarity of two words, 0..1, from which on they differ by a slip of the finger."""
_LEAST_BEGINNING = 3
_MOST_BEGUN = 3


class AdvisorError(Exception):
    """What failed, why it failed if known, and what the user can do next: one line, whatever foreign text is in it."""

    def __init__(self, what: str, *, why: str | None = None, hint: str | None = None) -> None:
        self.what = _readable(what)
        self.why = None if why is None else _readable(why)
        self.hint = None if hint is None else _readable(hint)
        super().__init__(self.what)

    def __str__(self) -> str:
        """The error as one line: what: why. hint."""
        line = self.what if self.why is None else f"{self.what}: {self.why}"
        if self.hint is None:
            return line
        return f"{line if line.endswith(('.', '?')) else f'{line}.'} {self.hint}"


def _readable(text: str) -> str:
    """The text on one line, without its middle where it is long."""
    if "\n" in text or "\r" in text:
        text = re.sub(r"\s*[\r\n]\s*", " ", text).strip()
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[: _MOST_CHARACTERS - _KEPT_END]} … {text[-_KEPT_END:]}"


class InputError(AdvisorError):
    """Something that the user gave cannot be used."""


class NotProbedError(InputError):
    """The machine was described and not probed, and nobody insisted."""


class NoCandidateError(AdvisorError):
    """Nothing satisfies the constraints."""


class CheckFailedError(AdvisorError):
    """A smoke test failed, or a recommendation no longer holds."""


class NetworkError(AdvisorError):
    """A download or a refresh failed."""


class EngineError(AdvisorError):
    """The engine child is missing, broke, hung or was killed."""


class AdvisorWarning(UserWarning):
    """Something that the user should know although the program can go on; said through Python's `warnings`."""


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """A hint with the valid words that a shortened one begins, else with the one closest to a misspelled one.

    None when nothing is close.
    """
    from difflib import get_close_matches

    words = list(valid)
    close = get_close_matches(word, words, n=1, cutoff=_ALMOST)
    begun = [one for one in words if one.startswith(word)] if len(word) >= _LEAST_BEGINNING else []
    if begun and not close:
        *others, last = [repr(one) for one in begun[:_MOST_BEGUN]]
        if len(begun) > _MOST_BEGUN:
            return f"{len(begun)} begin like that: {', '.join([*others, last])}, …"
        return f"Did you mean {', '.join(others)} or {last}?" if others else f"Did you mean {last}?"
    close = close or get_close_matches(word, words, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else None
