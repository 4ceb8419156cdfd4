"""Record the compute buffers that llama.cpp reserves with stand-in GPUs, as data for the tests of the closed form.

Usage: python -m benchmarks.stand_in_gpu.record N_GPUS stand_in_gpu.so >> tests/data/stand_in_gpu.csv

Each row is a real load, not a dry run: the dry run of llama.cpp 0.3.36 forgets to pin norms to the device of their
layer and reports one copy too many with several GPUs. Weights are mapped and never read.
"""

from __future__ import annotations

import csv
import ctypes
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.domain.model import Shape
from advisor.domain.weights import blueprint
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_sparse
from tests.builders import model
from tests.shapes import KINDS

QUANTIZATION = "Q8_0"
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"n_ctx": 2048},
    {"n_ctx": 32768},
    {"flash_attention": 0},
    {"n_ubatch": 128},
    {"kv_type": "q8_0"},
    {"n_seq_max": 4},
    {"n_outputs_max": 1},
)
DEFAULTS = {"n_ctx": 8192, "n_ubatch": 512, "flash_attention": 1, "kv_type": "f16", "n_seq_max": 1, "n_outputs_max": 0}
COLUMNS = ("kind", "n_layers", "gpu_layers", "output_on_gpu", "experts_in_ram", *DEFAULTS, "gpu_mib", "ram_mib")
_BUFFER = re.compile(r"(\S+) +compute buffer size = +([\d.]+) MiB")
_KV_TYPES = {"f16": 1, "q8_0": 8}


def shapes() -> Iterator[tuple[str, Shape]]:
    """Shortened models; the pattern of Llama 4 needs whole groups of four layers."""
    for kind in ("mistral-7b", "llama-3.2-1b", "mixtral", "llama-4-scout", "mistral-small-4", "codestral-mamba"):
        shape = replace(KINDS[kind], n_layers=12)
        if shape.experts is not None:
            shape = replace(shape, experts=replace(shape.experts, n_total=min(16, shape.experts.n_total)))
        yield kind, shape


def splits(n_gpus: int, has_experts: bool) -> list[tuple[tuple[int, ...], bool]]:
    """Layers of each GPU, and whether experts stay in RAM."""
    if n_gpus == 2:
        return [((6, 6), False), ((4, 8), False), ((3, 4), False)]
    return [((12,), False), ((6,), False), *([((12,), True)] if has_experts else [])]


def load(lib: Any, path: Path, layers: tuple[int, ...], experts_in_ram: bool) -> tuple[Any, list[Any]]:
    """A model in that placement, and what must stay alive with it."""
    params = lib.llama_model_default_params()
    params.n_gpu_layers = sum(layers) + 1
    params.load_mode = 1  # mapped
    shares = [*map(float, layers[:-1]), layers[-1] + 1.0]
    split = (ctypes.c_float * lib.LLAMA_MAX_DEVICES)(*shares)
    params.tensor_split = split
    kept: list[Any] = [split]
    if experts_in_ram:
        cpu = lib.llama_cpp._lib.ggml_backend_cpu_buffer_type
        cpu.restype = ctypes.c_void_p
        overrides = (_Override * 2)(_Override(rb"\.ffn_(up|down|gate)_(ch|)exps", cpu()))
        params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
        kept.append(overrides)
    return lib.llama_model_load_from_file(str(path).encode(), params), kept


class _Override(ctypes.Structure):
    _fields_ = [("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p)]  # ctypes reads a list


def buffers(lib: Any, loaded: Any, setting: dict[str, Any], lines: list[str]) -> dict[str, str]:
    """Compute buffers by device, in MiB as logged."""
    params = lib.llama_context_default_params()
    for name in ("n_ctx", "n_ubatch", "n_seq_max", "n_outputs_max"):
        setattr(params, name, setting[name])
    params.n_batch, params.swa_full, params.kv_unified = 2048, False, False
    params.flash_attn_type = setting["flash_attention"]
    params.type_k = params.type_v = _KV_TYPES[setting["kv_type"]]
    lines.clear()
    context = lib.llama_init_from_model(loaded, params)
    text = "".join(lines)
    lib.llama_free(context)
    return dict(_BUFFER.findall(text))


def main(n_gpus: int, library: str) -> None:
    """Write one row for each model, split and setting."""
    import llama_cpp as lib

    ctypes.CDLL(library).stand_in_register(n_gpus)
    lines: list[str] = []
    receive = lib.llama_log_callback(lambda _level, text, _data: lines.append(text.decode(errors="replace")))
    lib.llama_log_set(receive, None)
    lib.llama_backend_init()
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    if n_gpus == 1:
        writer.writeheader()
    with scratch_dir() as folder:
        for kind, shape in shapes():
            path = folder / "model.gguf"
            write_sparse(blueprint(model(kind, shape), QUANTIZATION), path)
            for layers, experts_in_ram in splits(n_gpus, shape.experts is not None):
                loaded, _kept = load(lib, path, layers, experts_in_ram)
                for change in SETTINGS:
                    setting = DEFAULTS | change
                    found = buffers(lib, loaded, setting, lines)
                    gpus = "+".join(found.get(f"GPU{i}", "0.00") for i in range(n_gpus))
                    row = {"kind": kind, "n_layers": shape.n_layers, "gpu_layers": "+".join(map(str, layers))}
                    row |= {"output_on_gpu": 1, "experts_in_ram": int(experts_in_ram), **setting}
                    writer.writerow(row | {"gpu_mib": gpus, "ram_mib": found.get("GPU_Host", "0.00")})
                lib.llama_model_free(loaded)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
