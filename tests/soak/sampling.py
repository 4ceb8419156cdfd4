"""What a process holds, looked at now and then: what grows without end is a leak."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

MIB = 1 << 20
_LONGEST_STEP_S = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process."""

    done: int
    """Rounds done so far."""
    seconds: float
    rss_bytes: int
    n_files: int
    """Open file descriptors."""
    n_threads: int
    n_children: int


@dataclass
class Run:
    """The samples of one long run."""

    name: str
    what: str
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class Clock:
    """Counts the time in which a run does something, and not that in which other work makes it stand still."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last = time.monotonic()

    def tick(self) -> None:
        """A step is done. What took longer than any step is taken for a stop of this process."""
        now = time.monotonic()
        self.seconds += min(now - self._last, _LONGEST_STEP_S)
        self._last = now


class Patience:
    """So many seconds in which this process runs; asked again and again."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._clock = seconds, Clock()

    def is_over(self) -> bool:
        """Whether they have passed."""
        self._clock.tick()
        return self._clock.seconds > self._seconds


class Sampler:
    """Looks at one process; at this one where none is named."""

    def __init__(self, pid: int | None = None) -> None:
        self._process = psutil.Process(pid)
        self._is_own = pid is None
        self._started = time.monotonic()

    def look(self, done: int) -> Sample:
        """A sample; of this process after a full collection, so that only what is held counts."""
        if self._is_own:
            gc.collect()
        return Sample(
            done=done,
            seconds=round(time.monotonic() - self._started, 1),
            rss_bytes=self._process.memory_info().rss,
            n_files=self._process.num_fds(),
            n_threads=threading.active_count() if self._is_own else self._process.num_threads(),
            n_children=len(self._process.children(recursive=True)),
        )


_MEMO = type(functools.lru_cache(len))


def held_blocks(*packages: str) -> int:
    """Blocks of memory that Python holds once the memos of these packages are emptied.

    Memos are bounded and fill up slowly, which looks like a leak; what else grows from one look to the next is one.
    """
    for found in gc.get_objects():
        if isinstance(found, _MEMO) and (found.__module__ or "").partition(".")[0] in packages:
            found.cache_clear()
    gc.collect()
    return sys.getallocatedblocks()
