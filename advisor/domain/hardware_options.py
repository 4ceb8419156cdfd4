"""What hardware would make a model possible: the smallest memories and GPUs on which it passes every requirement.

The same gates and figures decide as for a recommendation. To stay quick the search does not try every GPU: GPUs of
one memory size stand in order of their bandwidth, the fastest tells whether the size can do at all, and halving finds
the slowest that does. Every option that is named was judged and passes; a slower GPU that passes too can be missed
where another figure than bandwidth decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from advisor.domain.candidate import Candidate
from advisor.domain.gates import Reason
from advisor.domain.hardware import GpuSpec
from advisor.domain.model import Model
from advisor.units import GIB

RAM_STEPS = tuple(n * GIB for n in (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048))
"""Sizes that system memory is sold in."""
MOST_SIZES = 4
"""GPU memory sizes that are named for one count of GPUs: larger ones do as well."""
COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the machine would have in the place of what it has."""

    gpu: GpuSpec | None = None
    """None for the machine's own; without any where `count` is 0."""
    count: int = 1
    ram_bytes: int | None = None
    """None for the machine's own."""

    @property
    def gpu_argument(self) -> str | None:
        """What `--gpu` takes."""
        if self.gpu is None:
            return None if self.count else "none"
        return self.gpu.name if self.count == 1 else f"{self.gpu.name}x{self.count}"

    @property
    def ram_argument(self) -> str | None:
        """What `--ram` takes."""
        return None if self.ram_bytes is None else f"{self.ram_bytes // GIB}GiB"

    @property
    def text(self) -> str:
        """The hardware in words: `2 × RTX 4090`, `64 GiB of system memory`. Devices with unified memory are not sold
        in every size, so theirs is the least that does."""
        if self.gpu is None:
            ram = f"{(self.ram_bytes or 0) // GIB} GiB of system memory"
            return ram if self.count else "no GPU" if self.ram_bytes is None else f"no GPU, {ram}"
        name = self.gpu.name if self.count == 1 else f"{self.count} × {self.gpu.name}"
        return name if self.ram_bytes is None else f"{name} with {self.ram_bytes // GIB} GiB or more"


@dataclass(frozen=True, slots=True)
class HardwareOption:
    """Hardware on which the model passes, and how it would run there."""

    hardware: Hardware
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class HardwareAnswer:
    """What hardware would make a model possible."""

    model: Model
    here: Candidate | None
    """How it passes on the machine as it is; None where it does not."""
    obstacles: tuple[Reason, ...]
    """Requirements that no hardware meets; there are no options then."""
    options: tuple[HardwareOption, ...]
    n_judged: int
    """Machines that were judged."""

    @property
    def is_possible(self) -> bool:
        return self.here is not None or bool(self.options)


Judge = Callable[[Hardware], Candidate | None]
"""The best candidate of the model on other hardware; None where it passes in no quantization."""


def hardware_options(gpus: Sequence[GpuSpec], ram_bytes: int | None, judge: Judge) -> Iterator[HardwareOption]:
    """More memory first, then single GPUs, several, and machines with unified memory; the smallest of each first."""
    yield from _more_memory(ram_bytes or 0, judge)
    apart = [gpu for gpu in gpus if not gpu.unified_memory]
    smallest: int | None = None
    for count in COUNTS:
        # Four and eight of a kind are for what fits on no two.
        if count > 2 and smallest is not None:
            break
        for option in _of_count(apart, count, smallest, judge):
            assert option.hardware.gpu is not None
            smallest = min(smallest or option.hardware.gpu.memory_bytes, option.hardware.gpu.memory_bytes)
            yield option
    yield from _unified([gpu for gpu in gpus if gpu.unified_memory], judge)


def _more_memory(ram_bytes: int, judge: Judge) -> Iterator[HardwareOption]:
    found = _first([Hardware(ram_bytes=n) for n in RAM_STEPS if n > ram_bytes], judge)
    if found is not None:
        yield found


def _of_count(gpus: Sequence[GpuSpec], count: int, below: int | None, judge: Judge) -> Iterator[HardwareOption]:
    """The slowest GPU that does in each memory size, for the smallest sizes that do, if smaller than `below` bytes."""
    n_found = 0
    for size in sorted({gpu.memory_bytes for gpu in gpus}):
        if n_found == MOST_SIZES or (below is not None and size >= below):
            return
        by_speed = sorted((g for g in gpus if g.memory_bytes == size), key=lambda g: (g.bandwidth_bytes_per_s, g.name))
        found = _first([Hardware(gpu, count) for gpu in by_speed], judge)
        if found is not None:
            n_found += 1
            yield found


def _unified(gpus: Sequence[GpuSpec], judge: Judge) -> Iterator[HardwareOption]:
    """The smallest memory in which the fastest such device does, with the slowest that does in it."""
    if not gpus:
        return
    fastest = max(gpus, key=lambda g: (g.bandwidth_bytes_per_s, g.memory_bytes, g.name))
    smallest = _first([Hardware(fastest, 1, n) for n in RAM_STEPS if n <= fastest.memory_bytes], judge)
    if smallest is None:
        return
    size = smallest.hardware.ram_bytes or 0
    large_enough = [gpu for gpu in gpus if gpu.memory_bytes >= size]
    by_speed = sorted(large_enough, key=lambda g: (g.bandwidth_bytes_per_s, g.name))
    yield _first([Hardware(gpu, 1, size) for gpu in by_speed], judge) or smallest


def _first(rising: Sequence[Hardware], judge: Judge) -> HardwareOption | None:
    """The first that does, of a row in which more does wherever less does; found by halving, from the last one."""
    if not rising:
        return None
    low, high, found = 0, len(rising) - 1, judge(rising[-1])
    if found is None:
        return None
    while low < high:
        middle = (low + high) // 2
        candidate = judge(rising[middle])
        if candidate is None:
            low = middle + 1
        else:
            high, found = middle, candidate
    return HardwareOption(rising[high], found)
