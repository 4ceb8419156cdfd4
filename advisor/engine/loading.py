"""Models and contexts, opened with the child's parameters and always freed."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from advisor.domain.ggml import GGML_TYPES
from advisor.engine.logs import memory_figures
from advisor.engine.messages import ContextParams, DryRunParams, DryRunResult, MemoryFigures, ModelFacts
from advisor.engine.native import Native, NativeError

_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
_LOAD_MODE_NONE = 0
_LOAD_MODE_MMAP = 1
_EXPERTS = rb"\.ffn_(up|down|gate)_(ch|)exps"

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with one context."""

    model: Any
    context: Any
    facts: ModelFacts
    memory: MemoryFigures
    load_ms: float
    context_ms: float


class _BufferOverride(ctypes.Structure):
    """`struct llama_model_tensor_buft_override`."""

    _fields_ = [("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p)]


@contextmanager
def open_model(
    native: Native, path: str, params: ContextParams, *, no_alloc: bool = False, progress: Progress | None = None
) -> Iterator[Loaded]:
    """Load a file and make a context. Raises NativeError of kind `load` or `context` where llama.cpp refuses."""
    lib = native.lib
    with native.log.capture() as lines:
        started = perf_counter()
        model = _load(native, path, params, no_alloc, progress)
        loaded = perf_counter()
        try:
            context = _make_context(native, model, params)
            ready = perf_counter()
            try:
                facts = _facts(lib, model)
                memory = memory_figures(lines, int(lib.llama_model_size(model)), facts.n_vocab)
                milliseconds = (1000 * (loaded - started), 1000 * (ready - loaded))
                yield Loaded(model, context, facts, memory, *milliseconds)
            finally:
                lib.llama_free(context)
        finally:
            lib.llama_model_free(model)


def require_vocabulary(loaded: Loaded) -> None:
    """Raise NativeError for a file that cannot turn text into tokens."""
    if not loaded.facts.has_vocabulary:
        raise NativeError("request", "the file has no vocabulary, so it cannot turn text into tokens")


def dry_run(native: Native, params: DryRunParams) -> DryRunResult:
    """Size a model without its weights. Raises NativeError where llama.cpp refuses it."""
    with open_model(native, params.model_path, params.context, no_alloc=True) as loaded:
        return DryRunResult(loaded.facts, loaded.memory, loaded.load_ms, loaded.context_ms)


def _load(native: Native, path: str, params: ContextParams, no_alloc: bool, progress: Progress | None) -> Any:
    lib = native.lib
    options = lib.llama_model_default_params()
    options.no_alloc = no_alloc
    options.load_mode = _LOAD_MODE_MMAP if params.use_mmap and not no_alloc else _LOAD_MODE_NONE
    options.n_gpu_layers = params.n_gpu_layers
    options.use_extra_bufts = params.repack
    if params.tensor_split:
        shares = list(params.tensor_split[: lib.LLAMA_MAX_DEVICES])
        options.tensor_split = (ctypes.c_float * lib.LLAMA_MAX_DEVICES)(*shares)
    if params.experts_in_ram:
        overrides = (_BufferOverride * 2)()
        cpu = native.ggml("ggml_backend_cpu_buffer_type", ctypes.c_void_p)()
        overrides[0] = _BufferOverride(_EXPERTS, cpu)
        options.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
    callback = lib.llama_progress_callback(lambda share, _data: _tell(progress, share))
    options.progress_callback = callback
    model = lib.llama_model_load_from_file(path.encode(), options)
    if not model:
        raise NativeError("load", f"llama.cpp cannot load {Path(path).name}")
    return model


def _tell(progress: Progress | None, share: float) -> bool:
    if progress is not None:
        progress(float(share))
    return True


def _make_context(native: Native, model: Any, params: ContextParams) -> Any:
    lib = native.lib
    options = lib.llama_context_default_params()
    for name in ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_outputs_max"):
        setattr(options, name, getattr(params, name))
    for name in ("offload_kqv", "kv_unified", "swa_full"):
        setattr(options, name, getattr(params, name))
    options.flash_attn_type = _FLASH_ATTENTION[params.flash_attention]
    options.type_k, options.type_v = _type_id(params.type_k), _type_id(params.type_v)
    options.n_threads = options.n_threads_batch = params.threads or native.threads
    context = lib.llama_init_from_model(model, options)
    if not context:
        raise NativeError("context", f"llama.cpp cannot make a context of {params.n_ctx} tokens")
    return context


def _type_id(name: str) -> int:
    kind = GGML_TYPES.get(name.upper())
    if kind is None:
        raise NativeError("request", f"unknown ggml type {name!r}")
    return kind.type_id


def _facts(lib: Any, model: Any) -> ModelFacts:
    buffer = ctypes.create_string_buffer(256)
    lib.llama_model_desc(model, buffer, len(buffer))
    vocab = lib.llama_model_get_vocab(model)
    return ModelFacts(
        description=buffer.value.decode("utf-8", errors="replace"),
        n_layers=int(lib.llama_model_n_layer(model)),
        n_params=int(lib.llama_model_n_params(model)),
        n_vocab=int(lib.llama_vocab_n_tokens(vocab)),
        n_ctx_train=int(lib.llama_model_n_ctx_train(model)),
        has_vocabulary=int(lib.llama_vocab_type(vocab)) != lib.LLAMA_VOCAB_TYPE_NONE,
    )
