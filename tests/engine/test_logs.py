from __future__ import annotations

from pathlib import Path

from advisor.engine.logs import first_error, last_error, memory_figures, quantized_bytes, quantized_types
from advisor.engine.messages import DeviceBytes

MIB = 1 << 20

TWO_GPUS = """
load_tensors: layer   0 assigned to device CPU, is_swa = 0
load_tensors: layer   1 assigned to device CUDA0, is_swa = 0
load_tensors: layer   2 assigned to device CUDA1, is_swa = 0
load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
load_tensors:        CUDA0 model buffer size =  2000.50 MiB
load_tensors:        CUDA1 model buffer size =  1887.21 MiB
llama_context:  CUDA_Host  output buffer size =     0.49 MiB
llama_kv_cache: layer   0: dev = CPU
llama_kv_cache: layer   1: dev = CUDA0
llama_kv_cache: layer   2: dev = CUDA1
llama_kv_cache:      CUDA0 KV buffer size =    32.00 MiB
llama_kv_cache: size =   96.00 MiB (  8192 cells,   3 layers,  1/1 seqs), K (f16):   48.00 MiB, V (f16):   48.00 MiB
resolve_fused_ops: Flash Attention enabled
sched_reserve:      CUDA0 compute buffer size =   300.00 MiB
sched_reserve:      CUDA0 compute buffer size =   360.00 MiB
sched_reserve:  CUDA_Host compute buffer size =    24.01 MiB
""".strip().splitlines()
"""The formats of llama.cpp with CUDA; on this machine only those of the processor can be produced."""


def test_figures_of_several_devices() -> None:
    figures = memory_figures(TWO_GPUS, 5, 128256)
    assert figures.weights_bytes == 5
    assert figures.layer_devices == figures.kv_layer_devices == ("CPU", "CUDA0", "CUDA1")
    assert figures.kv_cache_bytes == 96 * MIB
    assert [d.device for d in figures.model_buffers] == ["CPU_Mapped", "CUDA0", "CUDA1"]
    assert figures.compute[0] == DeviceBytes("CUDA0", 360 * MIB)
    assert figures.output == (DeviceBytes("CUDA_Host", 4 * 128256),)
    assert figures.flash_attention is True


def cache_line(cells: int, layers: int, streams: int, keys: tuple[str, int], values: tuple[str, int]) -> str:
    """The line as llama.cpp formats it from exact bytes."""
    k, v = keys[1] / MIB, values[1] / MIB
    shape = f"{cells:6} cells, {layers:3} layers, {streams:2}/{streams} seqs"
    return (
        f"llama_kv_cache: size = {k + v:7.2f} MiB ({shape}), K ({keys[0]}): {k:7.2f} MiB, V ({values[0]}): {v:7.2f} MiB"
    )


def test_rounding_of_the_log_is_undone_for_caches() -> None:
    rows = 7 * 1280 * 2
    keys, values = rows * 256 // 32 * 34, rows * 256 * 2
    line = cache_line(1280, 7, 2, ("q8_0", keys), ("f16", values))
    assert memory_figures([line], 0, 0).kv_cache_bytes == keys + values


def test_full_and_windowed_caches_add_up() -> None:
    full, windowed = 8 * 4096 * 1024 * 2, 24 * 768 * 1024 * 2
    lines = [
        cache_line(4096, 8, 1, ("f16", full), ("f16", full)),
        cache_line(768, 24, 1, ("f16", windowed), ("f16", windowed)),
    ]
    assert memory_figures(lines, 0, 0).kv_cache_bytes == 2 * (full + windowed)


def test_recurrent_state_is_no_cache() -> None:
    line = (
        "llama_memory_recurrent: size =   26.25 MiB (     1 cells,  64 layers,  1 seqs  0 rs_seq), "
        "R (f32):    2.25 MiB, S (f32):   24.00 MiB, P (f32):    0.00 MiB"
    )
    figures = memory_figures([line], 0, 0)
    assert (figures.kv_cache_bytes, figures.state_bytes) == (0, round(26.25 * MIB))


def test_types_of_a_quantizer_run() -> None:
    lines = [
        "[   1/ 291] output.weight - [  4096,  32768,      1,      1], type =    f16, "
        "size =   256.00 MiB ->   105.00 MiB (q6_K)",
        "[   2/ 291] output_norm.weight - [  4096,      1,      1,      1], type =    f32, size =    0.016 MiB",
        "llama_model_quantize_impl: quant size  =  4169.52 MiB (4.82 BPW)",
    ]
    assert quantized_types(lines) == {"output.weight": "Q6_K", "output_norm.weight": "F32"}
    assert quantized_bytes(lines) == round(4169.52 * MIB)
    assert quantized_bytes(lines[:2]) is None


def test_the_cause_is_found_among_the_lines() -> None:
    lines = ["loading", f"{Path('/build/src')}/llama-model.cpp:3: error loading model: x", "failed to load", "bye"]
    assert first_error(lines) == "llama-model.cpp:3: error loading model: x"
    assert last_error(lines) == "failed to load"
    assert (first_error(["quiet"]), last_error([])) == ("quiet", None)
