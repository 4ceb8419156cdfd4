"""What llama.cpp takes alone, and what its dry runs take through the engine child: `python -m benchmarks.engine_floor`.

Alone means: in a process like the child's, on a file that is there already, with every line of the log thrown away
before Python sees it. No program that asks llama.cpp in one process can be quicker than that.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from advisor.catalog.loader import load_catalogue
from advisor.domain.model import Model
from advisor.domain.placement import cpu_placement
from advisor.domain.weights import blueprint
from advisor.engine import operations as engine
from advisor.engine.client import EngineClient
from advisor.engine.loading import dry_run
from advisor.engine.memory import keep_freed_memory
from advisor.engine.messages import DryRunParams
from advisor.engine.native import Native
from advisor.engine.placement import context_params
from advisor.engine.quantizing import quantizer_options
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_sparse
from advisor.paths import knowledge_dir
from benchmarks.shared import say

QUANTIZATION = "Q4_K_M"
CONTEXT = context_params(cpu_placement(8192))
NAMED = ("mistral-7b-instruct-v0.3", "llama-3.3-70b-instruct")
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    whole: float
    alone: float


def main() -> int:
    """Print the table. Raises ImportError without llama-cpp-python."""
    catalogue = load_catalogue(knowledge_dir())
    models = {model.id: model for model in catalogue.models if model.shape is not None}
    with EngineClient(threads=1) as client:
        types = {t.name.removeprefix("MOSTLY_"): t.number for t in engine.describe(client).file_types}
        asked = tuple([number for name, number in types.items() if name in catalogue.quantizations])
        native = silent_native()
        sized = {name: _dry_run(client, native, model) for name, model in models.items()}
        quantized = {name: _quantizer(client, native, models[name], asked) for name in NAMED}
    say("| what | whole, ms | llama.cpp alone, ms |\n| --- | --- | --- |")
    _row(f"dry run, median of {len(sized)} models", _middle(list(sized.values())))
    for name in NAMED:
        _row(f"dry run, {name}", sized[name])
    for name in NAMED:
        _row(f"quantizer's dry run, one of {len(asked)} file types, {name}", quantized[name])
    return 0


def silent_native() -> Native:
    """The library as the child holds it, with a log that goes nowhere."""
    import llama_cpp

    keep_freed_memory()
    native = Native(llama_cpp, 1)
    # Called with the level and the text of a line, abs returns the level and does nothing else.
    nothing = ctypes.cast(ctypes.CDLL(None).abs, llama_cpp.llama_log_callback)
    llama_cpp.llama_log_set(nothing, None)
    return native


def _dry_run(client: EngineClient, native: Native, model: Model) -> Times:
    made = blueprint(model, QUANTIZATION)
    whole = _milliseconds(partial(engine.size_blueprint, client, made, CONTEXT))
    with scratch_dir() as folder:
        path = folder / "model.gguf"
        write_sparse(made, path)
        return Times(whole, _milliseconds(partial(dry_run, native, DryRunParams(str(path), CONTEXT))))


def _quantizer(client: EngineClient, native: Native, model: Model, file_types: tuple[int, ...]) -> Times:
    """Of one file type."""
    made = blueprint(model, "F16")
    whole = _milliseconds(partial(engine.quantize_blueprint, client, made, file_types, importance_matrix=True))
    with scratch_dir() as folder:
        path = folder / "model.gguf"
        write_sparse(made, path)
        alone = _milliseconds(partial(_quantize_all, native, path, file_types))
    return Times(whole / len(file_types), alone / len(file_types))


def _quantize_all(native: Native, path: Path, file_types: tuple[int, ...]) -> None:
    options: Any = quantizer_options(native, importance_matrix=True)
    for file_type in file_types:
        options.ftype = file_type
        if native.lib.llama_model_quantize(str(path).encode(), b"", ctypes.byref(options)) != 0:
            raise RuntimeError(f"llama.cpp refuses file type {file_type}")


def _milliseconds(work: Callable[[], object]) -> float:
    """The median of a few runs."""
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        work()
        times.append(1000 * (perf_counter() - started))
    return median(times)


def _middle(found: list[Times]) -> Times:
    return Times(median([times.whole for times in found]), median([times.alone for times in found]))


def _row(what: str, times: Times) -> None:
    say(f"| {what} | {times.whole:.1f} | {times.alone:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
