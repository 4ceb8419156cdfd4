"""Runnable files in a model's true shape, without its weights."""

from __future__ import annotations

import base64
import binascii

from advisor.domain.ggml import GgmlType
from advisor.engine.client import EngineClient
from advisor.engine.messages import RowsParams
from advisor.engine.operations import quantize_rows
from advisor.errors import EngineError

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


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise EngineError("the engine sent no valid blocks", why=str(error)) from error
