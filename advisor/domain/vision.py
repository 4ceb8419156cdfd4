"""What seeing costs in memory: the encoder and projector that llama.cpp loads beside the model."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.model import Model
from advisor.domain.placement import Pool

PROJECTOR_BYTES_PER_PARAMETER = 2
"""Projector files (`mmproj`) are published in F16 as a rule."""


def projector_bytes(model: Model) -> int | None:
    """Bytes of the encoder and projector; None where their parameters are unknown or there are none."""
    return None if model.vision_params is None else PROJECTOR_BYTES_PER_PARAMETER * model.vision_params


def with_projector(pools: tuple[Pool, ...], model: Model) -> tuple[Pool, ...]:
    """What is left for the language model: llama.cpp puts the projector on the first GPU, else in system memory."""
    n_bytes = projector_bytes(model)
    if not n_bytes:
        return pools
    place = 1 if len(pools) > 1 else 0
    taken_of = {place, 0} if pools[place].shares_ram else {place}
    return tuple(
        replace(pool, budget_bytes=max(0, pool.budget_bytes - n_bytes)) if i in taken_of else pool
        for i, pool in enumerate(pools)
    )
