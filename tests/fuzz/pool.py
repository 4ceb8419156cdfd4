"""Sound inputs to change: the seeds that are read, and what was read on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

MOST_KEPT = 400
MOST_BYTES = 1 << 16
"""A longer one takes long to change."""


class Pool:
    """Keeps the seeds, and of what is read behind them a changing part."""

    def __init__(self, seeds: Iterable[bytes], is_read: Callable[[bytes], bool]) -> None:
        short = [raw for raw in seeds if len(raw) <= MOST_BYTES]
        self._kept = [raw for raw in short if is_read(raw)] or list(short)
        self._n_seeds = len(self._kept)
        self._rng = random.Random(0)

    def add(self, raw: bytes) -> None:
        """An input that was read."""
        if len(raw) > MOST_BYTES:
            return
        if len(self._kept) < self._n_seeds + MOST_KEPT:
            self._kept.append(raw)
        else:
            self._kept[self._n_seeds + self._rng.randrange(MOST_KEPT)] = raw

    @property
    def inputs(self) -> list[bytes]:
        """All of them; at least one."""
        return self._kept
