"""For how many requests at once a candidate is placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from advisor.domain.fit import Fit, ways_to_run
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool
from advisor.domain.weights import Weights

MAX_SLOTS = 64
"""Most slots of one llama.cpp server: `llama_cpp.max_slots` of knowledge/serving.toml, which says why."""


def ways_with_slots(
    shape: Shape, weights: Weights, base: Placement, slots: int, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> tuple[Fit, ...]:
    """Ways to run with as many of the slots as cost neither layers on a GPU nor the precision of the cache, by which
    every request would be slower or worse; with one slot where even two do. Empty when nothing fits.

    `base` is the placement for one request.
    """
    first = ways_to_run(shape, weights, base, pools, allow_cpu=allow_cpu)
    if not first:
        return ()
    for n in _fewer_and_fewer(slots, first[0]):
        ways = ways_to_run(shape, weights, with_slots(base, n), pools, allow_cpu=allow_cpu)
        if ways and not _gives_up(ways[0], first[0]):
            return ways
    return first


def parts_for_copies(pools: tuple[Pool, ...]) -> Iterator[tuple[tuple[Pool, ...], int]]:
    """The memories of one copy of a model and how many copies of it the machine then holds: on like GPUs one, two,
    four of them with their share of system memory, as long as that makes several copies; all devices last.

    Layers that are split over GPUs work in turn, so that several copies carry more than one on all of them.
    """
    gpus = pools[1:]
    n = 1
    while (copies := len(gpus) // n) > 1 and _are_alike(gpus):
        yield (replace(pools[0], budget_bytes=pools[0].budget_bytes // copies), *gpus[:n]), copies
        n *= 2
    yield pools, 1


def threads_of_copy(threads: int, copies: int) -> int:
    """Threads of each of several copies on one machine: its share of the cores, as of the memory, and at least one."""
    return max(1, threads // copies)


def _are_alike(gpus: tuple[Pool, ...]) -> bool:
    """Whether GPUs differ in nothing but their name and what is free now."""
    kinds = {replace(gpu, name="", free_bytes=None) for gpu in gpus}
    return len(kinds) == 1 and not gpus[0].shares_ram


def with_slots(base: Placement, slots: int) -> Placement:
    """A placement for one request, for so many of them."""
    return replace(base, context_tokens=base.context_tokens * slots, parallel=slots)


def _fewer_and_fewer(slots: int, first: Fit) -> Iterator[int]:
    """The slots that are asked for, then powers of two below, leaving out what the caches alone would overfill."""
    most = min(slots, _most_by_cache(first))
    power = 1 << max(0, slots.bit_length() - 1)
    if 1 < slots <= most:
        yield slots
    while power > 1:
        if power < slots and power <= most:
            yield power
        power //= 2


def _most_by_cache(first: Fit) -> int:
    """Slots whose caches fit beside the rest of the placement for one; buffers that grow with them are not counted."""
    rooms = []
    shared = sum([d.total_bytes for d, p in zip(first.footprint.devices, first.pools, strict=True) if p.shares_ram])
    for i, (device, pool) in enumerate(zip(first.footprint.devices, first.pools, strict=True)):
        if device.kv_cache_bytes:
            free = pool.budget_bytes - device.total_bytes - (shared if i == 0 else 0)
            rooms.append(1 + max(0, free) // device.kv_cache_bytes)
    return min(rooms, default=MAX_SLOTS)


def _gives_up(now: Fit, before: Fit) -> bool:
    """Whether more slots cost layers on the GPU or the precision of the cache, which slow every request down."""
    return (
        sum(now.placement.gpu_layers) < sum(before.placement.gpu_layers)
        or now.placement.kv_type != before.placement.kv_type
        or now.placement.ubatch < before.placement.ubatch
        or now.placement.experts_in_ram > before.placement.experts_in_ram
    )
