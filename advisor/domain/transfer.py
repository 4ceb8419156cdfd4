"""How a download stands, and how fast it goes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from advisor.units import format_bytes, format_milliseconds

Stage = Literal["ask", "check", "receive", "wait", "done"]

WINDOW_S = 5.0
"""The rate is that of the last seconds: a connection that has become slow must show at once."""
STEADY_S = 1.0
"""No rate is told before it rests on so much time."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A download in progress: one event."""

    stage: Stage
    file: str
    part: int
    """From 1."""
    n_parts: int
    done_bytes: int
    """Of all parts, those of an earlier run included."""
    total_bytes: int
    bytes_per_s: float | None = None
    """None until it can be told."""
    text: str | None = None
    """What is waited for, and why."""

    @property
    def seconds_left(self) -> float | None:
        """At the present rate; None where there is none."""
        return None if not self.bytes_per_s else (self.total_bytes - self.done_bytes) / self.bytes_per_s

    @property
    def share(self) -> float:
        return self.done_bytes / self.total_bytes if self.total_bytes else 1.0


def transfer_text(now: Transfer) -> str:
    """A download's state for people: `received 1.20 GiB of 4.07 GiB, 35 MiB/s, 84 s left`."""
    words = {"ask": "asking for", "check": "checking what is here:", "receive": "received", "done": "received"}
    if now.stage == "wait" and now.text is not None:
        return now.text
    text = f"{words.get(now.stage, now.stage)} {format_bytes(now.done_bytes)} of {format_bytes(now.total_bytes)}"
    if now.n_parts > 1:
        text = f"part {now.part} of {now.n_parts}: {text}"
    left = now.seconds_left
    if now.bytes_per_s is None or left is None:
        return text
    return f"{text}, {format_bytes(round(now.bytes_per_s))}/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    """Whole seconds: an estimate is no finer than that."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 100 else format_milliseconds(1000 * whole)


class Rate:
    """Bytes per second over the last seconds. Times are the caller's, in seconds of any steady clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now_s: float, n_bytes: int) -> None:
        """So many bytes had arrived by then."""
        self._seen.append((now_s, n_bytes))
        # What is kept spans the window where it can: the next one must reach as far back.
        while len(self._seen) > 2 and now_s - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    @property
    def bytes_per_s(self) -> float | None:
        if len(self._seen) < 2:
            return None
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end - start >= STEADY_S else None
