"""llama.cpp's file types as the advisor offers them, and what each is known to lose."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.errors import nearest
from advisor.values import value

DEFAULT_QUANTIZATION = "Q4_K_M"
"""The file type of a model where none is asked for."""


def file_type_hint(wanted: str, known: Iterable[str]) -> str:
    """What an unknown file type may mean: those that it begins, such as all of `Q4`, else the nearest, else any."""
    names = list(known)
    begun = [name for name in names if wanted and name.startswith(wanted)]
    if len(begun) > 1:
        return f"Those that begin like that: {', '.join(begun)}."
    return nearest(wanted, names) or f"Known file types: {', '.join(names)}."


@value
class Quantization:
    """A llama.cpp file type. The types of its tensors follow from `advisor.domain.tensor_types`."""

    name: str
    """As in file names: `Q4_K_M`."""
    file_type: int
    """`llama_ftype`, as in `general.file_type`."""
    offered: bool
    """Whether recommendations consider it unless the user names it."""
    perplexity_increase: float | None
    """Relative growth of perplexity against F16 on the reference model, 0.01 for one per cent; None if unpublished."""
    kl_divergence: float | None
    """Mean divergence of the next-token distribution from F16's on the reference model, in nats."""
    reference: str | None
    """The model and text on which the loss was measured."""
    source: str | None
