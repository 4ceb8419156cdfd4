"""What a process holds, looked at now and then: what grows without end is a leak."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

MIB = 1 << 20


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
