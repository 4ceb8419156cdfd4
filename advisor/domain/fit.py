"""The search for placements: which ways of running a candidate fit into the memories of a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from advisor.domain.footprint import Footprint, footprint, kv_layer_bytes, scratch_bounds
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool, with_gpu_layers
from advisor.domain.weights import Weights
from advisor.values import value

SMALL_UBATCH = 128
"""Tried where llama.cpp's 512 does not fit: a quarter of the compute buffer for a slower prefill."""

QUANTIZED_CACHE_NOTE = (
    "the KV cache is quantized to q8_0 because f16 does not fit; answers can differ slightly from those with f16"
)

_Place = Callable[[Placement], "Fit"]


@value
class Fit:
    """One way of running a candidate and the memory that it takes."""

    placement: Placement
    footprint: Footprint
    pools: tuple[Pool, ...]
    """System memory first, then the GPUs, as the devices of the footprint."""

    @property
    def _needs(self) -> tuple[tuple[int, Pool], ...]:
        """Bytes taken of each pool. Of system memory also what GPUs take that have no memory of their own."""
        need = [d.total_bytes for d in self.footprint.devices]
        need[0] += sum([n for n, p in zip(need, self.pools, strict=True) if p.shares_ram])
        return tuple(zip(need, self.pools, strict=True))

    @property
    def shortfalls(self) -> tuple[int, ...]:
        """Bytes missing in each pool; all 0 where the candidate fits."""
        return tuple([max(0, n - p.budget_bytes) for n, p in self._needs])

    @property
    def fits(self) -> bool:
        return not any(self.shortfalls)

    @property
    def headroom(self) -> float:
        """Free share of the fullest pool that is used, 0..1."""
        used = [n / p.budget_bytes for n, p in self._needs if n and p.budget_bytes > 0]
        return max(0.0, 1.0 - max(used, default=1.0))

    @property
    def notes(self) -> tuple[str, ...]:
        """What this way gives up."""
        return (QUANTIZED_CACHE_NOTE,) if self.placement.kv_type != "f16" else ()

    def missing_now(self) -> int:
        """Bytes that must be freed before the candidate can be loaded at this moment."""
        return sum([max(0, n - p.free_bytes) for n, p in self._needs if p.free_bytes is not None])


def ways_to_run(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> tuple[Fit, ...]:
    """Ways that fit, the one with most layers on GPUs first; empty when nothing fits.

    Where nothing fits as asked, a smaller micro-batch is tried and, as the last resort, a q8_0 cache.
    """
    if weights.total_bytes > sum([pool.budget_bytes for pool in pools if not pool.shares_ram]):
        return ()
    for attempt in _attempts(shape, base):
        fitting = tuple([way for way in _ways(shape, weights, attempt, pools, allow_cpu=allow_cpu) if way.fits])
        if fitting:
            return fitting
    return ()


def closest_way(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> Fit | None:
    """The way that misses the least memory, of the attempt that asks for the least: that of `ways_to_run` which comes
    last. None when every way is ruled out, as without GPU and without CPU."""
    *_, leanest = _attempts(shape, base)
    ways = list(_ways(shape, weights, leanest, pools, allow_cpu=allow_cpu))
    return min(ways, key=lambda way: sum(way.shortfalls), default=None)


def _attempts(shape: Shape, base: Placement) -> Iterator[Placement]:
    yield base
    small = replace(base, ubatch=SMALL_UBATCH) if base.ubatch > SMALL_UBATCH else base
    if small is not base:
        yield small
    if base.kv_type == "f16" and base.flash_attention and shape.state_space is None:
        yield replace(base, kv_type="q8_0")
        if small is not base:
            yield replace(small, kv_type="q8_0")


def _ways(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> Iterator[Fit]:
    gpus = pools[1:]
    names = tuple([pool.name for pool in gpus])
    budgets = tuple([pool.budget_bytes for pool in gpus])

    def place(placement: Placement) -> Fit:
        return Fit(placement, footprint(shape, weights, placement, names), pools)

    if gpus:
        whole = place(with_gpu_layers(base, shape.n_layers, budgets))
        yield whole
        if allow_cpu and not whole.fits:
            if shape.experts is not None:
                yield place(replace(with_gpu_layers(base, shape.n_layers, budgets), experts_in_ram=True))
            yield from _partial(shape, weights, base, budgets, place)
    if allow_cpu:
        yield place(replace(base, gpu_layers=(0,) * len(gpus), output_on_gpu=False))


def _partial(shape: Shape, weights: Weights, base: Placement, budgets: tuple[int, ...], place: _Place) -> Iterator[Fit]:
    """As many layers as the GPUs hold: by arithmetic with cautious buffers, then by trying the next ones."""
    if shape.n_layers < 2:
        return
    half = with_gpu_layers(base, shape.n_layers // 2, budgets)
    scratch = scratch_bounds(shape, weights, half)
    rooms = [budget - used for budget, used in zip(budgets, scratch, strict=True)]
    kv = kv_layer_bytes(shape, base)
    layer_bytes = [held + cached for held, cached in zip(weights.layer_bytes(), kv, strict=True)]
    layers = _most_layers(layer_bytes, weights.output_bytes, base, budgets, rooms)
    best: Fit | None = None
    for n in range(max(1, layers), shape.n_layers):
        way = place(with_gpu_layers(base, n, budgets))
        if any(way.shortfalls[1:]):
            break
        best = way
    if best is not None:
        yield best


def _most_layers(
    layer_bytes: list[int], output_bytes: int, base: Placement, budgets: tuple[int, ...], rooms: list[int]
) -> int:
    low, high = 0, len(layer_bytes)
    while high - low > 1:
        middle = (low + high) // 2
        split = with_gpu_layers(base, middle, budgets).gpu_layers
        if _holds(layer_bytes, output_bytes, split, rooms):
            low = middle
        else:
            high = middle
    return low


def _holds(layer_bytes: list[int], output_bytes: int, split: tuple[int, ...], rooms: list[int]) -> bool:
    start = len(layer_bytes) - sum(split)
    last = max((i for i, n in enumerate(split) if n), default=-1)
    for i, (n, room) in enumerate(zip(split, rooms, strict=True)):
        need = sum(layer_bytes[start : start + n]) + (output_bytes if i == last else 0)
        if need > room:
            return False
        start += n
    return True
