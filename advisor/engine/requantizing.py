"""Quantizing a file into another, by llama.cpp's own quantizer."""

from __future__ import annotations

import ctypes
from pathlib import Path

from advisor.engine.native import Native, NativeError
from advisor.engine.trial_messages import RequantizeParams, RequantizeResult
from advisor.files import is_file, is_there


def requantize(native: Native, params: RequantizeParams) -> RequantizeResult:
    """Write the file, from one that may be quantized already. Raises NativeError where llama.cpp refuses."""
    lib = native.lib
    options = lib.llama_model_quantize_default_params()
    options.ftype, options.nthread, options.allow_requantize = params.file_type, native.threads, True
    source, target = Path(params.model_path), Path(params.target_path)
    if is_there(target):
        raise NativeError("request", f"{target.name} exists")
    with native.log.capture():
        code = lib.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(options))
    if code != 0 or not is_file(target):
        raise NativeError("load", f"llama.cpp cannot quantize {source.name}")
    return RequantizeResult(target.stat().st_size)
