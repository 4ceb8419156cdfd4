"""The tensor types that llama.cpp's own quantizer chooses, without a file being written."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from advisor.engine.logs import quantized_bytes, quantized_types
from advisor.engine.messages import QuantizedFile, QuantizeParams, QuantizeResult
from advisor.engine.native import Native, NativeError


def quantize_dry_run(native: Native, params: QuantizeParams) -> QuantizeResult:
    """The types for each file type. Raises NativeError where the quantizer refuses the file or one of them."""
    options = quantizer_options(native, importance_matrix=params.importance_matrix)
    tensors: tuple[str, ...] = ()
    files = []
    for file_type in params.file_types:
        options.ftype = file_type
        types, n_bytes = _quantized(native, params.model_path, options)
        if tensors not in ((), tuple(types)):
            raise NativeError("internal", "llama.cpp took the tensors in another order")
        tensors = tuple(types)
        files.append(QuantizedFile(tuple(types.values()), n_bytes))
    return QuantizeResult(tensors, tuple(files))


def quantizer_options(native: Native, *, importance_matrix: bool) -> Any:
    """`llama_model_quantize_params` of a dry run, to which only the file type is missing."""
    lib = native.lib
    options = lib.llama_model_quantize_default_params()
    options.dry_run, options.nthread = True, native.threads
    if importance_matrix:
        # The entry names no tensor: only the presence of a matrix decides about types. An empty name ends the list.
        entries = (lib.llama_model_imatrix_data * 2)()
        entries[0] = lib.llama_model_imatrix_data(b"-", (ctypes.c_float * 1)(1.0), 1)
        options.imatrix = entries
    return options


def _quantized(native: Native, path: str, options: Any) -> tuple[dict[str, str], int]:
    """The type of each tensor in the order in which they were taken, and bytes in all."""
    with native.log.capture() as lines:
        code = native.lib.llama_model_quantize(path.encode(), f"{path}.quantized".encode(), ctypes.byref(options))
    n_bytes = quantized_bytes(lines)
    if code != 0 or n_bytes is None:
        raise NativeError("load", f"llama.cpp cannot quantize {Path(path).name}")
    return quantized_types(lines), n_bytes
