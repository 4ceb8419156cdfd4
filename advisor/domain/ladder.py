"""The rungs around a placement: how much further a machine would go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from advisor.domain.fit import ways_to_run
from advisor.domain.kv_cache import KV_PADDING
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool
from advisor.domain.weights import Weights

MOST_SLOTS = 256
"""`LLAMA_MAX_SEQ` of llama.cpp's src/llama-cparams.h: sequences that one context can hold."""


@dataclass(frozen=True, slots=True)
class Memories:
    """What of a machine may be used: the memories that layers lie in, and whether the processor may run some."""

    pools: tuple[Pool, ...]
    allow_cpu: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """The most that fits with everything else as it was asked for; None where nothing does."""

    context_tokens: int | None
    """Longest context of each slot."""
    quantization: str | None
    """Largest file type."""
    slots: int | None
    """Most requests at once, each with the context that was asked for."""


def ladder(
    shape: Shape,
    held: Weights,
    base: Placement,
    memories: Memories,
    *,
    most_context_tokens: int | None,
    quantizations: Sequence[tuple[str, Callable[[], Weights]]] = (),
) -> Ladder:
    """All three rungs. `quantizations` are names with a way to their weights, the best first."""
    return Ladder(
        context_tokens=longest_context(shape, held, base, memories, most_context_tokens),
        quantization=best_quantization(shape, base, memories, quantizations),
        slots=most_slots(shape, held, base, memories),
    )


def longest_context(
    shape: Shape, held: Weights, base: Placement, memories: Memories, most_tokens: int | None
) -> int | None:
    """Tokens of each slot, in steps of llama.cpp's padding, up to what the model was made for."""
    most = (most_tokens or 1 << 20) // KV_PADDING

    def fits(steps: int) -> bool:
        placement = replace(base, context_tokens=steps * KV_PADDING * base.parallel)
        return _fits(shape, held, placement, memories)

    steps = _largest(most, fits)
    return steps * KV_PADDING if steps else None


def best_quantization(
    shape: Shape, base: Placement, memories: Memories, quantizations: Sequence[tuple[str, Callable[[], Weights]]]
) -> str | None:
    """The first file type that fits."""
    for name, held in quantizations:
        if _fits(shape, held(), base, memories):
            return name
    return None


def most_slots(shape: Shape, held: Weights, base: Placement, memories: Memories) -> int | None:
    """Slots with as many tokens each as `base` has."""

    def fits(slots: int) -> bool:
        placement = replace(base, context_tokens=slots * base.slot_tokens, parallel=slots)
        return _fits(shape, held, placement, memories)

    return _largest(MOST_SLOTS, fits) or None


def _fits(shape: Shape, held: Weights, placement: Placement, memories: Memories) -> bool:
    ways = ways_to_run(shape, held, placement, memories.pools, allow_cpu=memories.allow_cpu)
    # A smaller micro-batch is a fair price; a cache of another type was not asked for.
    return any(way.placement.kv_type == placement.kv_type for way in ways)


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number from 1 to `most` that fits, taking it that all below it do; 0 where none does."""
    low, high = 0, 1
    while high <= most and fits(high):
        low, high = high, 2 * high
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low
