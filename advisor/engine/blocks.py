"""Valid random blocks of every ggml type, made in the child."""

from __future__ import annotations

import base64
import ctypes
import random
import struct

from advisor.domain.ggml import GGML_TYPES, GgmlType
from advisor.engine.messages import RowsParams, RowsResult
from advisor.engine.native import Native, NativeError

_UNQUANTIZABLE = {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}
"""Types without a case in `ggml_quantize_chunk`, which aborts on them."""

_MEAN_LEVEL = {"IQ2_XXS": 48.0, "IQ2_XS": 48.0, "IQ2_S": 48.0, "IQ1_S": 8.0, "IQ1_M": 8.0}
"""Types whose quantizer first spends up to 20 seconds on tables. Every pattern of bits is a valid index into their
grids, so random bits serve; the number is about the size of a weight in units of the block's scale, from the
`dequantize_row_*` functions of ggml-quants.c."""

_IQ1_M_SCALES = 48
"""Where the four 16-bit words lie in a block of IQ1_M that hold its scale in their top four bits."""


def quantize_rows(native: Native, params: RowsParams) -> RowsResult:
    """Gaussian rows in a type. Raises NativeError for a type that cannot be made."""
    kind = GGML_TYPES.get(params.ggml_type)
    if kind is None or params.row_length <= 0 or params.n_rows <= 0 or params.row_length % kind.block_size:
        raise NativeError("request", f"no rows of {params.row_length} in {params.ggml_type}")
    if kind.name in _UNQUANTIZABLE:
        raise NativeError("request", f"ggml has no quantizer for {kind.name}")
    raw = _random_bits(kind, params) if kind.name in _MEAN_LEVEL else _quantized(native, kind, params)
    return RowsResult(base64.b64encode(raw).decode("ascii"))


def _random_bits(kind: GgmlType, params: RowsParams) -> bytes:
    n_blocks = params.n_rows * params.row_length // kind.block_size
    blocks = bytearray(random.Random(params.seed).randbytes(n_blocks * kind.block_bytes))
    scale = struct.pack("<e", params.sigma / _MEAN_LEVEL[kind.name])
    for start in range(0, len(blocks), kind.block_bytes):
        if kind.name == "IQ1_M":
            _spread_scale(blocks, start + _IQ1_M_SCALES, int.from_bytes(scale, "little"))
        else:
            blocks[start : start + 2] = scale
    return bytes(blocks)


def _spread_scale(blocks: bytearray, start: int, half: int) -> None:
    """Put the four nibbles of a half-precision number into the top of four words, the lowest first."""
    for word in range(4):
        top = start + 2 * word + 1
        blocks[top] = (half >> (4 * word) & 0xF) << 4 | blocks[top] & 0xF


def _quantized(native: Native, kind: GgmlType, params: RowsParams) -> bytes:
    import numpy as np

    n = params.n_rows * params.row_length
    source = np.random.default_rng(params.seed).standard_normal(n, dtype=np.float32) * np.float32(params.sigma)
    importance = np.ones(params.row_length, dtype=np.float32)  # some types are refused without one
    target = np.zeros(kind.n_bytes(n), dtype=np.uint8)
    floats, i64 = ctypes.POINTER(ctypes.c_float), ctypes.c_int64
    quantize = native.ggml(
        "ggml_quantize_chunk", ctypes.c_size_t, ctypes.c_int, floats, ctypes.c_void_p, i64, i64, i64, floats
    )
    rows = (0, params.n_rows, params.row_length)
    source_p, importance_p = source.ctypes.data_as(floats), importance.ctypes.data_as(floats)
    written = quantize(kind.type_id, source_p, target.ctypes.data, *rows, importance_p)
    if written != target.nbytes:
        raise NativeError("run", f"ggml wrote {written} bytes of {kind.name}, not {target.nbytes}")
    return target.tobytes()
