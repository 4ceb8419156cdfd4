"""A recorded load, read line by line in constant memory: arrival in seconds, prompt tokens, answer tokens."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from advisor.errors import InputError
from advisor.units import counted

MOST_ROWS = 1_000_000
"""More are refused: a plan needs the busiest hours, and these take two seconds to read."""
KEPT_SIZES = 4096
"""Sizes of requests that are kept, chosen so that each row has the same chance (reservoir sampling, algorithm R)."""
BIN_S = 60.0
_MOST_TOKENS = 10_485_760
"""Of one request: the longest context that a model of the catalogue has."""
_SEED = 7
COLUMNS = "arrival_s,prompt_tokens,answer_tokens"


@dataclass(frozen=True, slots=True)
class Trace:
    """What a plan needs of a trace."""

    n_requests: int
    seconds: float
    peak_requests_per_s: float
    """Of the busiest minute."""
    mean_prompt_tokens: float
    mean_answer_tokens: float
    sizes: tuple[tuple[int, int], ...]
    """A sample of prompt and answer tokens."""

    @property
    def mean_requests_per_s(self) -> float:
        return self.n_requests / self.seconds


def read_trace(lines: Iterable[str], name: str) -> Trace:
    """Summarize a CSV trace whose rows are in the order of arrival; a first line of words is a header. Empty lines and
    those that begin with `#` are passed over.

    Raises InputError naming the line for a row that is no request, goes back in time, or is one too many.
    """
    reader = _Reader(name)
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
    return reader.finish()


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.chance = random.Random(_SEED)
        self.is_begun = False
        self.count = self.prompts = self.answers = 0
        self.first = self.last = 0.0
        self.bin, self.in_bin, self.most_in_bin = -1, 0, 0
        self.sizes: list[tuple[int, int]] = []

    def take(self, number: int, line: str) -> None:
        text = line.strip()
        if not text or text.startswith("#"):
            return
        fields = text.split(",")
        is_first, self.is_begun = not self.is_begun, True
        if is_first and not _is_number(fields[0]):
            return
        arrival, prompt, answer = self._row(number, fields)
        if self.count and arrival < self.last:
            self._refuse(number, f"arrival {arrival:g} s is before the one above it, {self.last:g} s", "Sort the rows.")
        if self.count >= MOST_ROWS:
            self._refuse(number, f"more than {MOST_ROWS:,} requests", "Cut it to its busiest hours.")
        self._add(arrival, prompt, answer)

    def _row(self, number: int, fields: list[str]) -> tuple[float, int, int]:
        if len(fields) != 3:
            self._refuse(number, f"{len(fields)} fields in place of 3", f"Write {COLUMNS}.")
        try:
            arrival, prompt, answer = float(fields[0]), int(fields[1]), int(fields[2])
        except ValueError:
            self._refuse(number, f"{','.join(fields)[:80]!r} is no row of numbers", f"Write {COLUMNS}.")
        if not math.isfinite(arrival) or arrival < 0:
            self._refuse(
                number, f"arrival {fields[0].strip()[:40]} s is no time from 0 on", "Count from the first one."
            )
        if not (1 <= prompt <= _MOST_TOKENS and 1 <= answer <= _MOST_TOKENS):
            self._refuse(number, f"{prompt} and {answer} tokens", f"Each must be from 1 to {_MOST_TOKENS:,}.")
        return arrival, prompt, answer

    def _refuse(self, number: int, why: str, hint: str) -> NoReturn:
        raise InputError(f"{self.name}: line {number}", why=why, hint=hint)

    def _add(self, arrival: float, prompt: int, answer: int) -> None:
        if not self.count:
            self.first = arrival
        self.count += 1
        self.prompts += prompt
        self.answers += answer
        self.last = arrival
        current = int((arrival - self.first) // BIN_S)
        self.in_bin = self.in_bin + 1 if current == self.bin else 1
        self.bin = current
        self.most_in_bin = max(self.most_in_bin, self.in_bin)
        if len(self.sizes) < KEPT_SIZES:
            self.sizes.append((prompt, answer))
            return
        place = self.chance.randrange(self.count)
        if place < KEPT_SIZES:
            self.sizes[place] = (prompt, answer)

    def finish(self) -> Trace:
        seconds = self.last - self.first
        if self.count < 2 or seconds <= 0:
            are = "is" if self.count == 1 else "are"
            what = (
                f"{counted(self.count, 'request')} at one moment {are} no load" if self.count else "it has no requests"
            )
            raise InputError(
                f"{self.name}: {what}",
                why="a rate needs at least two arrivals at different times",
                hint=f"Write a row for each request: {COLUMNS}.",
            )
        return Trace(
            n_requests=self.count,
            seconds=seconds,
            peak_requests_per_s=max(self.most_in_bin / min(BIN_S, seconds), self.count / seconds),
            mean_prompt_tokens=self.prompts / self.count,
            mean_answer_tokens=self.answers / self.count,
            sizes=tuple(self.sizes),
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
