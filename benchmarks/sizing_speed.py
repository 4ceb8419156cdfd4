"""How long sizing takes: the closed form for one candidate and for all, the engine's dry run, the quantizer's dry run.

Usage: python -m benchmarks.sizing_speed

Times are medians on the machine at hand and hold for it alone. Needs llama-cpp-python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from statistics import median
from time import perf_counter

from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.fit import ways_to_run
from advisor.domain.footprint import footprint
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Placement, Pool, cpu_placement, with_gpu_layers
from advisor.domain.tensors import supported_architectures
from advisor.domain.weights import blueprint, weights
from advisor.engine import operations as engine
from advisor.engine.client import EngineClient
from advisor.engine.messages import Description
from advisor.engine.placement import context_params
from advisor.paths import knowledge_dir
from advisor.units import GIB
from benchmarks.shared import say

CONTEXTS = (4096, 8192, 16384, 32768)
N_FILE_TYPES = 25
QUANTIZATION = "Q4_K_M"
REPEATS = 5
WHERE: dict[str, Callable[[Placement, Shape], Placement]] = {
    "processor": lambda base, shape: base,
    "one GPU, all layers": lambda base, shape: with_gpu_layers(base, shape.n_layers, (1,)),
    "one GPU, half of the layers": lambda base, shape: with_gpu_layers(base, shape.n_layers // 2, (1,)),
}


def main() -> int:
    """Print the tables."""
    catalogue = load_catalogue(knowledge_dir())
    models = [model for model in catalogue.models if model.shape is not None]
    types = list(catalogue.quantizations)[:N_FILE_TYPES]
    started = perf_counter()
    n = _everything(models, types)
    say(f"{n:,} candidates ({len(models)} models x {len(types)} file types x {len(CONTEXTS)} contexts), first time in")
    say(f"this process: {perf_counter() - started:.2f} s\n")
    say("| closed form, a footprint of a shape met before | us |\n| --- | --- |")
    for name, place in WHERE.items():
        say(f"| {name} | {_per_candidate(models, types, place):.0f} |")
    say(f"| search for a placement on 8 GiB of GPU and 256 GiB of RAM | {_search(models, catalogue):.0f} |")
    with EngineClient(threads=1) as client:
        described = engine.describe(client)
        say("\n| llama.cpp's dry run, file written each time | whole, ms | llama.cpp alone, ms |\n| --- | --- | --- |")
        _dry_runs(client, models)
        say("\n| quantizer's dry run | ms a file type |\n| --- | --- |")
        _quantizer(client, models, types, described)
    return 0


def _everything(models: Iterable[Model], types: Iterable[str]) -> int:
    n = 0
    for model in models:
        assert model.shape is not None
        for file_type in types:
            held = weights(model.shape, file_type)
            for tokens in CONTEXTS:
                footprint(model.shape, held, cpu_placement(tokens), ())
                n += 1
    return n


def _per_candidate(models: list[Model], types: list[str], place: Callable[[Placement, Shape], Placement]) -> float:
    """Microseconds for a file type that is new to a shape and a placement whose graph is known."""
    times = []
    for model in models:
        assert model.shape is not None
        placement = place(cpu_placement(12_288, n_gpus=1), model.shape)
        footprint(model.shape, weights(model.shape, types[0]), placement, ("GPU0",))
        for file_type in types[1:]:
            held = weights(model.shape, file_type)
            started = perf_counter()
            footprint(model.shape, held, placement, ("GPU0",))
            times.append(perf_counter() - started)
    return 1e6 * median(times)


def _search(models: list[Model], catalogue: Catalogue) -> float:
    ram = Pool("RAM", "ram", 256 * GIB, None, None, None, "cpu", 8)
    pools = (ram, Pool("GPU0", "gpu", 8 * GIB, None, None, None, "cuda"))
    offered = [q.name for q in catalogue.quantizations.values() if q.offered]
    times = []
    for model in models:
        assert model.shape is not None
        for file_type in offered:
            held = weights(model.shape, file_type)
            started = perf_counter()
            ways_to_run(model.shape, held, cpu_placement(10_240, n_gpus=1), pools, allow_cpu=True)
            times.append(perf_counter() - started)
    return 1e6 * median(times)


def _dry_runs(client: EngineClient, models: list[Model]) -> None:
    whole, own, slowest = [], [], (0.0, "")
    context = context_params(cpu_placement(8192))
    for model in models:
        assert model.shape is not None
        if model.shape.architecture not in supported_architectures():
            continue
        made = blueprint(model, QUANTIZATION)
        times, inside = [], []
        for _ in range(REPEATS):
            started = perf_counter()
            found = engine.size_blueprint(client, made, context)
            times.append(1000 * (perf_counter() - started))
            inside.append(found.load_ms + found.context_ms)
        whole.append(median(times))
        own.append(median(inside))
        slowest = max(slowest, (whole[-1], f"{model.id} | {whole[-1]:.1f} | {own[-1]:.1f}"))
    say(f"| median of {len(whole)} models | {median(whole):.1f} | {median(own):.1f} |")
    say(f"| slowest: {slowest[1]} |")


def _quantizer(client: EngineClient, models: list[Model], types: list[str], described: Description) -> None:
    numbers = {t.name.removeprefix("MOSTLY_"): t.number for t in described.file_types}
    asked = tuple([numbers[name] for name in types if name in numbers])
    for name in ("mistral-7b-instruct-v0.3", "mixtral-8x7b-instruct-v0.1", "llama-3.3-70b-instruct"):
        model = next(m for m in models if m.id == name)
        started = perf_counter()
        engine.quantize_blueprint(client, blueprint(model, "F16"), asked, importance_matrix=True)
        say(f"| {name}, {len(asked)} types | {1000 * (perf_counter() - started) / len(asked):.1f} |")


if __name__ == "__main__":
    sys.exit(main())
