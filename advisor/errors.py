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

from collections.abc import Iterable
from difflib import get_close_matches


class AdvisorError(Exception):
    """What failed, why it failed if known, and what the user can do next."""

    def __init__(self, what: str, *, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        """The error as one line: what: why. hint."""
        line = self.what if self.why is None else f"{self.what}: {self.why}"
        return line if self.hint is None else f"{line.rstrip('.')}. {self.hint}"


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
    """A hint with the valid word closest to a misspelled one, or None when nothing is close."""
    match = get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return f"Did you mean {match[0]!r}?" if match else None
