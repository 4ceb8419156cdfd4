"""Runnable files in a model's true shape, without its weights."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from advisor.domain.blueprint import Blueprint
from advisor.domain.ggml import GgmlType
from advisor.engine.client import EngineClient
from advisor.engine.messages import RowsParams
from advisor.engine.operations import quantize_rows
from advisor.errors import EngineError
from advisor.gguf.writer import write_synthetic

_POOL_BLOCKS = {1: 262_139, 32: 8_191, 64: 4_093, 128: 2_039, 256: 1_021}
"""Blocks in a pool by block size: the largest primes that keep it to 2^18 weights. With a prime number of blocks the
rows of a tiled tensor differ from each other."""


class BlockPools:
    """Random blocks of each type, quantized once by the engine itself."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._pools: dict[GgmlType, bytes] = {}

    def __call__(self, kind: GgmlType) -> bytes:
        """The blocks of a type. Raises EngineError where the engine has no quantizer for it."""
        if kind not in self._pools:
            n_blocks = _POOL_BLOCKS.get(kind.block_size, 1_021)
            rows = quantize_rows(self._client, RowsParams(kind.name, n_blocks, kind.block_size))
            self._pools[kind] = _decoded(rows.base64)
        return self._pools[kind]


@dataclass(frozen=True, slots=True)
class SyntheticTarget:
    """A model to be run in its shape, as far as memory and time allow."""

    blueprint: Callable[[int], Blueprint]
    """The model with that many layers."""
    layers_total: int
    budget_bytes: int
    """Most bytes of weights, all slices together."""
    layer_step: int = 1
    """Layers repeat in groups of this many, so a slice has a multiple of them."""

    def slices(self) -> tuple[int, ...]:
        """All layers where they fit, else the largest pair of slices in the ratio of 1 to 3, else the smallest slice.

        Raises EngineError where not even that fits.
        """
        if self._fits(self.layers_total):
            return (self.layers_total,)
        step = self.layer_step
        pairs = [(n, 3 * n) for n in range(step, self.layers_total // 3 + 1, step)]
        fitting = list(takewhile(lambda pair: self._fits(*pair), pairs))
        if fitting:
            return fitting[-1]
        if self.layers_total >= step and self._fits(step):
            return (step,)
        raise EngineError(
            "not even the smallest slice of the model fits",
            why=f"{self.blueprint(step).tensor_bytes} bytes needed, {self.budget_bytes} allowed",
            hint="Close other programs, or choose a smaller model.",
        )

    def _fits(self, *layers: int) -> bool:
        return sum(self.blueprint(n).tensor_bytes for n in layers) <= self.budget_bytes


def write_slices(target: SyntheticTarget, layers: tuple[int, ...], pools: BlockPools, folder: Path) -> tuple[Path, ...]:
    """Write one file for each number of layers. Raises InputError where there is no room, else EngineError."""
    paths = []
    for n in layers:
        path = folder / f"slice-{n}.gguf"
        write_synthetic(target.blueprint(n), path, pools)
        paths.append(path)
    return tuple(paths)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise EngineError("the engine sent no valid blocks", why=str(error)) from error
