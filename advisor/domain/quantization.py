"""llama.cpp's file types as the advisor offers them, and what each is known to lose."""

from __future__ import annotations

from advisor.values import value

DEFAULT_QUANTIZATION = "Q4_K_M"
"""The file type of a model where none is asked for."""


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
