"""Every time budget, as a ratio to a yardstick that is timed beside it: `python -m benchmarks.budgets [--write]`.

Machines differ, and the same one differs from hour to hour, so seconds say little about a change of the program. A
ratio to work that never changes, timed in turn with it, says more: a bare start of Python with the standard modules
that any such program needs, or a fixed loop. benchmarks/budgets.json holds the ratios of the last accepted state; what
is more than a quarter above its own is named and makes the exit code 1. `--write` puts what was found in their place.
`--seconds` prints the times alone, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median
from time import perf_counter

from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.footprint import footprint
from advisor.domain.model import Model, Shape
from advisor.domain.placement import cpu_placement, with_gpu_layers
from advisor.domain.weights import blueprint, weights
from advisor.engine import operations as engine
from advisor.engine.client import EngineClient
from advisor.engine.placement import context_params
from advisor.paths import knowledge_dir
from benchmarks.screens import answers_to_rankings, first_paints, own_directories
from benchmarks.shared import say

BASELINE = Path(__file__).with_name("budgets.json")
ROOT = Path(__file__).parents[1]
TOLERANCE = 1.25
"""A ratio may be so much above its baseline before it counts as slower: runs of one state differ by up to a fifth."""
ROUNDS = 9
DEVICES = ("GPU0",)
LOOP = 100_000
FEW, MANY = 1_000, 100_000
_START = "import dataclasses, json, pathlib, typing, urllib.parse, subprocess, argparse"


@dataclass(frozen=True, slots=True)
class Timed:
    """The median of what was timed, and its budget where it has one."""

    what: str
    budget_s: float | None
    seconds: float
    yardstick_s: float

    @property
    def ratio(self) -> float:
        """To the yardstick of the same run."""
        return self.seconds / self.yardstick_s


def main(arguments: list[str]) -> int:
    """Print the table; 1 where something is slower than its baseline."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    with own_directories():
        found = [*starts(), *screens(), *closed_forms(), *dry_runs()]
    if "--seconds" in arguments:
        say(json.dumps({t.what: t.seconds for t in found}))
        return 0
    before: dict[str, float] = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    slower = [t.what for t in found if t.ratio > TOLERANCE * before.get(t.what, t.ratio)]
    say("| what | budget | now | kept | ratio to the yardstick | ratio before |\n| --- | --- | --- | --- | --- | --- |")
    for t in found:
        known = f"{before[t.what]:.3g}" if t.what in before else "new"
        budget, kept = "", ""
        if t.budget_s is not None:
            budget, kept = time_text(t.budget_s), "yes" if t.seconds <= t.budget_s else "NO"
        say(f"| {t.what} | {budget} | {time_text(t.seconds)} | {kept} | {t.ratio:.3g} | {known} |")
    for what in slower:
        say(f"\nslower than before: {what}")
    if "--write" in arguments:
        ratios = {t.what: float(f"{t.ratio:.3g}") for t in found}
        BASELINE.write_text(json.dumps(ratios, indent=1) + "\n", "utf-8")
    return int(bool(slower))


def starts() -> list[Timed]:
    """Cold processes against a bare start of Python, in turn."""
    asked: dict[str, tuple[list[str], float | None]] = {
        "recommend --json, whole catalogue, cold process": (["recommend", "--json"], 0.27),
        "probe --json, cold process": (["probe", "--json"], None),
        "size --json, cold process": (["size", "mistral-7b-instruct-v0.3", "--json"], None),
    }
    for command, _ in asked.values():
        _process(["-m", "advisor", *command])  # compiles, and fills the cache of what llama.cpp says of itself
    times: dict[str, list[float]] = {what: [] for what in ("bare", *asked)}
    for _ in range(ROUNDS):
        times["bare"].append(_process(["-c", _START]))
        for what, (command, _) in asked.items():
            times[what].append(_process(["-m", "advisor", *command]))
    bare = median(times["bare"])
    return [Timed(what, budget, median(times[what]), bare) for what, (_, budget) in asked.items()]


def screens() -> list[Timed]:
    """The first paint and the ranking after an answer, of the real program and of the app."""
    bare = median(_process(["-c", _START]) for _ in range(ROUNDS))
    paints = median(first_paints()[1:])
    loop = _loop_s()
    rankings = median(asyncio.run(answers_to_rankings()))
    return [
        Timed("first paint of the screens, warm", 0.5, paints, bare),
        Timed("ranked results after the last answer", 0.3, rankings, (loop + _loop_s()) / 2),
    ]


def closed_forms() -> list[Timed]:
    """One candidate by closed form, where it lies, and a hundred thousand against a hundred times a thousand."""
    models = _models()
    places: dict[str, Callable[[Shape], float]] = {
        "closed form, one candidate on the processor": lambda shape: 0.0,
        "closed form, one candidate on one GPU": lambda shape: 1.0,
        "closed form, one candidate half on a GPU": lambda shape: 0.5,
    }
    found = [Timed(what, 50e-6, _per_candidate(models, share), _loop_s()) for what, share in places.items()]
    few, many = _candidates_s(models, FEW), _candidates_s(models, MANY)
    linear = Timed(f"{MANY:,} candidates, beside {MANY // FEW} times {FEW:,}", 1.2 * few * MANY / FEW, many, few)
    return [*found, linear]


def dry_runs() -> list[Timed]:
    """llama.cpp's own figures, in loads without weights."""
    models = [m for m in _models() if m.shape is not None]
    context, found = context_params(cpu_placement(8192)), []
    with EngineClient(threads=1) as client:
        types = {t.name.removeprefix("MOSTLY_"): t.number for t in engine.describe(client).file_types}
        made = [blueprint(model, "Q4_K_M") for model in models]
        times = [_seconds(partial(engine.size_blueprint, client, file, context)) for file in made]
        found.append(Timed("dry run, one candidate", 20e-3, median(times), _loop_s()))
        asked = tuple(number for name, number in types.items() if name in _catalogue().quantizations)
        for name in ("mistral-7b-instruct-v0.3", "llama-3.3-70b-instruct"):
            file = blueprint(next(m for m in models if m.id == name), "F16")
            whole = _seconds(partial(engine.quantize_blueprint, client, file, asked, importance_matrix=True))
            found.append(Timed(f"quantizer's dry run, one file type, {name}", 5e-3, whole / len(asked), _loop_s()))
    return found


@cache
def _catalogue() -> Catalogue:
    return load_catalogue(knowledge_dir())


def _models() -> list[Model]:
    return [m for m in _catalogue().models if m.shape is not None]


def _per_candidate(models: list[Model], share: Callable[[Shape], float]) -> float:
    """Median seconds for a file type that is new to a shape whose graph is known."""
    times, types = [], list(_catalogue().quantizations)[:25]
    for model in models:
        assert model.shape is not None
        shape = model.shape
        placement = with_gpu_layers(cpu_placement(12_288, n_gpus=1), round(share(shape) * shape.n_layers), (1,))
        footprint(shape, weights(shape, types[0]), placement, DEVICES)
        for file_type in types[1:]:
            times.append(_seconds(partial(footprint, shape, weights(shape, file_type), placement, DEVICES)))
    return median(times)


def _candidates_s(models: list[Model], n: int) -> float:
    """Seconds for n candidates: models by file types by contexts, every shape and type met before."""
    types = list(_catalogue().quantizations)[:25]
    pairs = [(m.shape, weights(m.shape, t)) for m in models for t in types if m.shape is not None]
    for shape, held in pairs:
        footprint(shape, held, cpu_placement(8192), ())
    started = perf_counter()
    for i in range(n):
        shape, held = pairs[i % len(pairs)]
        footprint(shape, held, cpu_placement(8192), ())
    return perf_counter() - started


def _process(arguments: list[str]) -> float:
    """Seconds of a Python process from start to end. Raises CalledProcessError where it fails."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}
    return _seconds(lambda: subprocess.run([sys.executable, *arguments], env=env, check=True, capture_output=True))


def _loop_s() -> float:
    """Seconds of a loop that makes, keys and reads what programs like this one do: the yardstick inside a process."""

    def loop() -> None:
        seen: dict[int, tuple[int, str]] = {}
        for i in range(LOOP):
            seen[i % 997] = (i, str(i))

    return median(_seconds(loop) for _ in range(5))


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def time_text(seconds: float) -> str:
    """For people."""
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.1f} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.0f} us"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
