"""Which slices of a model to time, and what the whole model takes by their times.

A token takes a fixed time, one share for each layer and one for each row of the output projection. Slices that
differ in one of these at a time tell all three, and none needs the whole vocabulary, which is a tenth of a small model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from advisor.domain.basis import Basis
from advisor.domain.speed.estimate import Speed
from advisor.units import MIB

MODEL_SHARE = 0.25
"""Most bytes of slices, as a share of the model's."""
FREE_SHARE = 0.5
"""Most bytes of slices, as a share of the memory that is free."""
ALWAYS_BYTES = 512 * MIB
"""Slices may have so much, however small the model is: together they must not fit into the processor's cache, from
which they would be read faster than the whole model is from memory."""
ENOUGH_BYTES = 2048 * MIB
"""Larger slices than the smallest are not worth the time to write them beyond this."""
WIDEST_INTERVAL = 0.15
"""A half-width beyond which a measurement is noise."""
_VOCAB_PARTS = 8
_VOCAB_STEP = 256
_RATIO = 3


@dataclass(frozen=True, slots=True)
class Slice:
    n_layers: int
    vocab_size: int


def budget_bytes(model_bytes: int, free_bytes: int, disk_free_bytes: int) -> int:
    """Most bytes that all slices together may have."""
    wanted = max(ALWAYS_BYTES, int(MODEL_SHARE * model_bytes))
    return min(wanted, int(FREE_SHARE * free_bytes), int(FREE_SHARE * disk_free_bytes))


def plan_slices(
    n_layers: int, vocab_size: int, step: int, size: Callable[[Slice], int], budget: int
) -> tuple[Slice, ...] | None:
    """The largest slices within the budget, layers in the ratio of 1 to 3 and a third with more vocabulary; None where
    not even the smallest fit.

    `step` is the number of layers that repeat as a group, `size` gives the bytes of a slice.
    """
    small = max(_VOCAB_STEP, vocab_size // _VOCAB_PARTS // _VOCAB_STEP * _VOCAB_STEP)
    large = _RATIO * small
    best: tuple[Slice, ...] | None = None
    for n in range(step, n_layers // _RATIO + 1, step) or (step,):
        more = _RATIO * n if _RATIO * n <= n_layers else n_layers
        if more == n:
            return None
        slices: tuple[Slice, ...]
        if large < vocab_size:
            slices = (Slice(n, small), Slice(more, small), Slice(n, large))
        else:
            slices = (Slice(n, vocab_size), Slice(more, vocab_size))
        if sum(map(size, slices)) > (budget if best is None else min(budget, ENOUGH_BYTES)):
            break
        best = slices
    return best


def factors(slices: tuple[Slice, ...], n_layers: int, vocab_size: int) -> tuple[float, ...]:
    """What the time of each slice counts in that of a model with so many layers and such a vocabulary."""
    first, second = slices[:2]
    layers = (n_layers - first.n_layers) / (second.n_layers - first.n_layers)
    if len(slices) == 2:
        return (1.0 - layers, layers)
    rows = (vocab_size - first.vocab_size) / (slices[2].vocab_size - first.vocab_size)
    return (1.0 - layers - rows, layers, rows)


def layer_factors(slices: tuple[Slice, ...], n_layers: int) -> tuple[float, ...]:
    """The same for layers alone, without what a token takes once: for layers that other layers follow elsewhere."""
    first, second = slices[:2]
    layers = n_layers / (second.n_layers - first.n_layers)
    return (-layers, layers)


@dataclass(frozen=True, slots=True)
class Timed:
    """Times of the whole model, extrapolated from slices that were really run."""

    prefill_ms: float
    """Of `n_prompt` tokens from an empty cache, the first answer token included."""
    n_prompt: int
    decode_ms: float
    """Of one token at `depth_tokens`."""
    depth_tokens: int
    prefill_half_width: float
    decode_half_width: float
    """Half of an interval of 95 %, as a share."""
    seconds: float
    slice_bytes: int
    others_cores: float


def together(parts: tuple[Timed, ...]) -> Timed:
    """Parts of one model that run after each other, as layers on a GPU and layers on the processor do."""
    if len(parts) == 1:
        return parts[0]
    prefill, decode = sum(part.prefill_ms for part in parts), sum(part.decode_ms for part in parts)
    return Timed(
        prefill_ms=prefill,
        n_prompt=parts[0].n_prompt,
        decode_ms=decode,
        depth_tokens=parts[0].depth_tokens,
        prefill_half_width=sum(part.prefill_ms * part.prefill_half_width for part in parts) / prefill,
        decode_half_width=sum(part.decode_ms * part.decode_half_width for part in parts) / decode,
        seconds=sum(part.seconds for part in parts),
        slice_bytes=max(part.slice_bytes for part in parts),
        others_cores=max(part.others_cores for part in parts),
    )


def measured_speed(
    timed: Timed, estimated: Callable[[int, int], tuple[float, float]], depth_tokens: int, prompt_tokens: int
) -> Speed:
    """The measurement at the depth and prompt that were asked for.

    Where a shorter prompt or a shallower cache had to do, the estimate's ratio between the two carries it over:
    `estimated(depth, prompt)` gives seconds per decoded token and seconds of the prompt.
    """
    here, there = estimated(timed.depth_tokens, timed.n_prompt), estimated(depth_tokens, prompt_tokens)
    decode_s = timed.decode_ms / 1000 * there[0] / here[0]
    prefill_s = timed.prefill_ms / 1000 * there[1] / here[1]
    notes = []
    if timed.n_prompt < prompt_tokens:
        notes.append(f"prompt timed with {timed.n_prompt:,} tokens and carried over to {prompt_tokens:,}")
    if timed.depth_tokens < depth_tokens:
        notes.append(f"decoding timed at {timed.depth_tokens:,} tokens and carried over to {depth_tokens:,}")
    return Speed(
        decode_tokens_per_s=1.0 / decode_s,
        prefill_tokens_per_s=prompt_tokens / prefill_s,
        ttft_ms=1000 * prefill_s,
        low=1.0 / (decode_s * (1 + timed.decode_half_width)),
        high=1.0 / (decode_s * max(0.05, 1 - timed.decode_half_width)),
        depth_tokens=depth_tokens,
        prompt_tokens=prompt_tokens,
        basis=Basis.MEASURED,
        assumed=tuple(notes),
    )
