"""What is fuzzed: one entry point that reads foreign bytes, its refusals, and where to begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import AdvisorError, InputError
from tests.fuzz.codecs import Codec

Run = Callable[[bytes, Path], None]
"""Takes the bytes and a folder of its own, in which alone it may write."""


@dataclass(frozen=True)
class Harness:
    """One parser."""

    name: str
    reads: str
    """What foreign bytes these are, for people."""
    entry: str
    """The public functions that take them."""
    run: Run
    seeds: Callable[[], Sequence[bytes]]
    """Sound inputs to begin with."""
    codec: Codec | None = None
    """How to change an input without breaking its syntax; None to change bytes alone."""
    words: tuple[str, ...] = ()
    """Keys and values that mean something in these files."""
    refusals: tuple[type[AdvisorError], ...] = (InputError,)
    """The documented errors; anything else that comes out is a finding."""
    serves: bool = False
    """The harness answers on loopback itself, so the parser may connect there."""
    starts: bool = False
    """The parser works in a child process of its own, so it may start one."""
    ended_elsewhere: bool = False
    """The product runs this in a child that is killed when it takes too long or too much, so both are refusals."""
    cpu_s: float = 5.0
    """Processor time that one input may take."""
