"""Which slices of a model to time, and what the whole model takes by their times.

A token takes a fixed time, one share for each layer and one for each row of the output projection. One slice holds as
many layers as the budget allows, because every error of its time is multiplied by the layers it stands for, and memory
is not equally fast everywhere; another has fewer layers and more rows; two narrow ones hold next to no weights and tell
what a token costs before any are read. No slice needs the whole vocabulary, which is a tenth of a small model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot

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
ENOUGH_BYTES = 3072 * MIB
"""Larger slices than the smallest are not worth the time to write them beyond this."""
WIDEST_INTERVAL = 0.15
"""A half-width beyond which a measurement is noise."""
SLICE_SPREAD = 0.07
"""Half of an interval of 95 % for what slices cannot tell, beside the scatter of their own times. Twice the root mean
square of the errors in benchmarks/README.md is 4 % with memory in large pages and 7 % on a fresh machine without, which
is all that other systems have."""
_VOCAB_PARTS = 16
"""Of the vocabulary one such part is in the deep slice."""
_VOCAB_STEP = 256
"""Vocabularies of slices are multiples of it, and a narrow slice has just so many rows."""
_RATIO = 3
"""Times the rows of one slice in the other, and times the layers of one narrow slice in the other."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A model with fewer layers and a smaller vocabulary."""

    n_layers: int
    vocab_size: int
    is_narrow: bool = False
    """Layers of the least width that llama.cpp accepts, in place of the model's own."""


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """The slices that stand for one model."""

    layers: Slice
    """As many layers as may be."""
    rows: Slice
    """Fewer layers and more of the vocabulary."""
    narrow: tuple[Slice, Slice]
    """Of different depth."""

    @property
    def all(self) -> tuple[Slice, ...]:
        return (self.layers, self.rows, *self.narrow)


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """What the time of each slice counts in that of the whole, in the order of the plan."""

    decode: tuple[float, ...]
    prefill: tuple[float, ...]
    row: tuple[float, ...]
    """What it counts in the decoding time of one row of the output projection."""
    prefill_rows: float
    """Rows that the sum for the prompt lacks: only the last token of a prompt is projected, and the slices project it
    onto fewer rows than the whole model does."""

    def rows_ms(self, decode_ms: Sequence[float]) -> float:
        """Milliseconds that the sum for the prompt lacks, by the slices' decoding times."""
        row = sum(factor * ms for factor, ms in zip(self.row, decode_ms, strict=False))
        return max(0.0, row) * self.prefill_rows


def budget_bytes(model_bytes: int, free_bytes: int, disk_free_bytes: int) -> int:
    """Most bytes that all slices together may have."""
    wanted = max(ALWAYS_BYTES, int(MODEL_SHARE * model_bytes))
    return min(wanted, int(FREE_SHARE * free_bytes), int(FREE_SHARE * disk_free_bytes))


def plan_slices(
    n_layers: int, vocab_size: int, step: int, size: Callable[[Slice], int], budget: int
) -> SlicePlan | None:
    """The plan with most layers within the budget; None where not even the smallest fits.

    `step` is the number of layers that repeat as a group, `size` gives the bytes of a slice.
    """
    small = max(_VOCAB_STEP, vocab_size // _VOCAB_PARTS // _VOCAB_STEP * _VOCAB_STEP)
    large = _RATIO * small
    if large >= vocab_size:
        small = large = vocab_size
    rows = Slice(step, large)
    deep = min(_RATIO, n_layers // step) * step
    narrow = (Slice(step, _VOCAB_STEP, True), Slice(deep, _VOCAB_STEP, True))
    best: SlicePlan | None = None
    for n in range(2 * step, n_layers + 1, step):
        plan = SlicePlan(Slice(n, small), rows, narrow)
        if sum(map(size, plan.all)) > (budget if best is None else min(budget, ENOUGH_BYTES)):
            break
        best = plan
    return best


def extrapolation(
    plan: SlicePlan, units: Callable[[int], float], n_layers: float, vocab_size: int, *, is_whole: bool = True
) -> Extrapolation:
    """How the slices' times add up to those of a model with so many layers and such a vocabulary.

    `units(n)` is what the layers of a slice of n layers weigh, in average layers of the model: a mixture gives some
    layers more bits. Without `is_whole` it is the time of the layers alone, which other layers follow elsewhere.

    Decoding solves `t = fixed + layers x layer + rows x row` for the two wide slices, with the fixed time taken from
    the narrow ones. In a prompt the last layer computes only the rows that are asked for, so one layer says nothing
    about the others and the difference of the two wide slices does.
    """
    a_layers, a_rows = units(plan.layers.n_layers), plan.layers.vocab_size
    b_layers, b_rows = units(plan.rows.n_layers), plan.rows.vocab_size
    determinant = a_layers * b_rows - b_layers * a_rows
    rows = vocab_size if is_whole else 0
    a = (n_layers * b_rows - rows * b_layers) / determinant
    b = (rows * a_layers - n_layers * a_rows) / determinant
    row_a, row_b = -b_layers / determinant, a_layers / determinant
    between = n_layers - plan.layers.n_layers if is_whole else n_layers
    slope = between / (plan.layers.n_layers - plan.rows.n_layers)
    once = 1.0 if is_whole else 0.0
    return Extrapolation(
        decode=(a, b, *_fixed(plan, once - a - b)),
        prefill=(once + slope, -slope, 0.0, 0.0),
        row=(row_a, row_b, *_fixed(plan, -row_a - row_b)),
        prefill_rows=rows - once * a_rows + slope * (b_rows - a_rows),
    )


def _fixed(plan: SlicePlan, factor: float) -> tuple[float, float]:
    """Factors of the narrow slices that give the fixed time: where their line meets no layers at all."""
    shallow, deep = (piece.n_layers for piece in plan.narrow)
    return (factor * deep / (deep - shallow), -factor * shallow / (deep - shallow))


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
    """Cores that other programs kept busy meanwhile."""


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
    spread = hypot(timed.decode_half_width, SLICE_SPREAD)
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
        low=1.0 / (decode_s * (1 + spread)),
        high=1.0 / (decode_s * max(0.05, 1 - spread)),
        depth_tokens=depth_tokens,
        prompt_tokens=prompt_tokens,
        basis=Basis.MEASURED,
        assumed=tuple(notes),
    )
