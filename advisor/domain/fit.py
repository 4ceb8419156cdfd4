"""The search for placements: which ways of running a candidate fit into the memories of a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from advisor.domain.footprint import Footprint, footprint
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool, with_gpu_layers
from advisor.domain.weights import Weights


@dataclass(frozen=True, slots=True)
class Fit:
    """One way of running a candidate and the memory that it takes."""

    placement: Placement
    footprint: Footprint
    pools: tuple[Pool, ...]
    """System memory first, then the GPUs, as the devices of the footprint."""

    @property
    def shortfalls(self) -> tuple[int, ...]:
        """Bytes missing in each pool; all 0 where the candidate fits."""
        need = [d.total_bytes for d in self.footprint.devices]
        shared = sum(n for n, p in zip(need, self.pools, strict=True) if p.shares_ram)
        need[0] += shared
        return tuple(max(0, n - p.budget_bytes) for n, p in zip(need, self.pools, strict=True))

    @property
    def fits(self) -> bool:
        return not any(self.shortfalls)

    @property
    def headroom(self) -> float:
        """Free share of the fullest pool that is used, 0..1."""
        need = [d.total_bytes for d in self.footprint.devices]
        need[0] += sum(n for n, p in zip(need, self.pools, strict=True) if p.shares_ram)
        used = [n / p.budget_bytes for n, p in zip(need, self.pools, strict=True) if n and p.budget_bytes > 0]
        return max(0.0, 1.0 - max(used, default=1.0))

    def missing_now(self) -> int:
        """Bytes that must be freed before the candidate can be loaded at this moment."""
        pairs = zip(self.footprint.devices, self.pools, strict=True)
        return sum(max(0, d.total_bytes - p.free_bytes) for d, p in pairs if p.free_bytes is not None)


def ways_to_run(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> tuple[Fit, ...]:
    """Ways that fit, the one with most layers on GPUs first; empty when nothing fits."""
    ways = _ways(shape, weights, base, pools, allow_cpu=allow_cpu)
    return tuple(way for way in ways if way.fits)


def closest_way(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> Fit | None:
    """The way that misses the least memory; None when every way is ruled out, as without GPU and without CPU."""
    ways = list(_ways(shape, weights, base, pools, allow_cpu=allow_cpu))
    return min(ways, key=lambda way: sum(way.shortfalls), default=None)


def _ways(
    shape: Shape, weights: Weights, base: Placement, pools: tuple[Pool, ...], *, allow_cpu: bool
) -> Iterator[Fit]:
    gpus = pools[1:]
    names = tuple(pool.name for pool in gpus)
    budgets = tuple(pool.budget_bytes for pool in gpus)

    def fit(placement: Placement) -> Fit:
        return Fit(placement, footprint(shape, weights, placement, names), pools)

    if gpus:
        whole = fit(with_gpu_layers(base, shape.n_layers, budgets))
        yield whole
        if allow_cpu and not whole.fits:
            yield from _partial(shape, base, budgets, fit)
    if allow_cpu:
        yield fit(replace(base, gpu_layers=(0,) * len(gpus), output_on_gpu=False))


def _partial(shape: Shape, base: Placement, budgets: tuple[int, ...], fit: Callable[[Placement], Fit]) -> Iterator[Fit]:
    if shape.experts is not None:
        yield fit(replace(with_gpu_layers(base, shape.n_layers, budgets), experts_in_ram=True))
    low, high = 0, shape.n_layers
    while high - low > 1:
        middle = (low + high) // 2
        if _gpus_fit(fit(with_gpu_layers(base, middle, budgets))):
            low = middle
        else:
            high = middle
    if low:
        yield fit(with_gpu_layers(base, low, budgets))


def _gpus_fit(way: Fit) -> bool:
    return not any(way.shortfalls[1:])
