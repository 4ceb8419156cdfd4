"""Readings from functions that may fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from advisor.domain.hardware import Reading

T = TypeVar("T")

MAX_FILE_BYTES = 4 << 20
"""More than any file of /proc or /sys holds that is read here."""


def attempt(
    source: str, read: Callable[[], T | None], *, missing: str = "not reported", hint: str | None = None
) -> Reading[T]:
    """The value of `read`, or why there is none; `missing` is the reason where it answers None."""
    try:
        value = read()
    except Exception as error:  # whatever a driver or a container does, a probe answers with the reason
        return Reading(None, source, describe(error), hint)
    return Reading(None, source, missing, hint) if value is None else Reading(value, source)


def unknown(source: str, reason: str, hint: str | None = None) -> Reading[Any]:
    """A reading without a value."""
    return Reading(None, source, reason, hint)


def describe(error: BaseException) -> str:
    """An exception as one line, in the operating system's words where it gave any."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def read_text(path: Path) -> str:
    """The start of a system file as text, undecodable bytes replaced. Raises OSError."""
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES).decode("utf-8", errors="replace")
