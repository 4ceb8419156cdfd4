"""Whole models with random weights, timed in turn with their own slices: how far off is the extrapolation?

`python -m benchmarks.validate_slices` runs the list below, each model where it fits into memory and on the disk; names
as arguments (`llama-3.2-3b-instruct:Q8_0`, `smollm2`) run those alone. Only an idle machine gives figures to keep.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psutil

from advisor.catalog.loader import load_catalogue
from advisor.domain.blueprint import Blueprint
from advisor.domain.catalogue import Catalogue
from advisor.domain.header import shape_of, weights_of
from advisor.domain.model import Model, Shape
from advisor.domain.slices import layer_step, layer_units, slice_blueprint
from advisor.domain.speed.slicing import Extrapolation, Slice, SlicePlan, budget_bytes, extrapolation, plan_slices
from advisor.domain.weights import weights
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams, MeasureParams, MeasureResult
from advisor.engine.operations import measure
from advisor.engine.slices import LARGE_PAGES
from advisor.engine.synthetic import BlockPools
from advisor.errors import AdvisorError
from advisor.gguf.reader import read_header
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_synthetic
from advisor.paths import knowledge_dir
from advisor.units import GIB
from benchmarks.shared import say, smollm2

LIST = (
    "smollm2",
    *(f"llama-3.2-3b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"mistral-7b-instruct-v0.3:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"llama-3.1-8b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"ministral-3-8b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"mistral-nemo-12b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    "mixtral-8x7b-instruct-v0.1:Q4_K_M:14",
)
"""Model, quantization and, where the whole does not fit, the number of layers that stand for it."""
_ROOM = 1.15
"""Memory that must be free, as a multiple of model and slices together: cache, buffers and everything else."""
_COLUMNS = ("model", "layers", "slices", "decode", "extrapolated", "error", "±", "prompt error", "seconds", "bytes")


@dataclass(frozen=True)
class Case:
    """A whole model and the way to slice it."""

    name: str
    model: Model
    quantization: str
    real_file: Path | None = None
    """Real weights in place of random ones."""

    @property
    def shape(self) -> Shape:
        assert self.model.shape is not None
        return self.model.shape

    @property
    def whole(self) -> Slice:
        return Slice(self.shape.n_layers, self.shape.vocab_size)

    def blueprint(self, piece: Slice) -> Blueprint:
        return slice_blueprint(
            self.model, self.quantization, piece.n_layers, piece.vocab_size, is_narrow=piece.is_narrow
        )

    def units(self, n_layers: int) -> float:
        return layer_units(self.shape, self.quantization, n_layers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the cases that fit and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(LIST))
    parser.add_argument("--seconds", type=float, default=20.0, help="timing of one model with its slices")
    parser.add_argument("--prompt", type=int, default=128, help="tokens of the prompt")
    parser.add_argument("--threads", type=int, help="threads of llama.cpp; all usable cores unless given")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args(arguments)
    say("| " + " | ".join(_COLUMNS) + " |")
    say("|" + " --- |" * len(_COLUMNS))
    catalogue, errors = load_catalogue(knowledge_dir()), []
    for text in options.cases:
        try:
            errors.append(_run(_case(text, catalogue), options))
        except AdvisorError as error:
            say(f"| {text} | {error} |" + " |" * (len(_COLUMNS) - 2))
    if errors:
        sizes = [abs(error) for error in errors]
        say(f"\nmedian error {median(sizes):.1%}, worst {max(sizes):.1%}")
    return 0


def _case(text: str, catalogue: Catalogue) -> Case:
    if text == "smollm2":
        return _smollm2(catalogue)
    name, quantization, *layers = text.split(":")
    model = catalogue.model(name)
    if model is None or model.shape is None:
        raise AdvisorError(f"{name} has no shape")
    shape = replace(model.shape, n_layers=int(layers[0])) if layers else model.shape
    return Case(f"{name} {quantization}", replace(model, shape=shape), quantization)


def _smollm2(catalogue: Catalogue) -> Case:
    """A model with real weights that a Python package carries; its tensors have the types of Q4_1."""
    path = smollm2()
    header = read_header(path)
    shape = shape_of(header.metadata, header.tensors)
    if weights(shape, "Q4_1").total_bytes != weights_of(header.tensors).total_bytes:
        raise AdvisorError(f"{path.name} is not the Q4_1 file that this benchmark knows")
    model = replace(catalogue.models[0], id="smollm2-135m", shape=shape, rope_theta=100000.0)
    return Case("SmolLM2 135M Q4_1, real weights", model, "Q4_1", path)


def _run(case: Case, options: argparse.Namespace) -> float:
    """Print a row and give the error of decoding."""

    def size(piece: Slice) -> int:
        return case.blueprint(piece).tensor_bytes

    free, disk = psutil.virtual_memory().available, psutil.disk_usage(str(options.scratch)).free
    allowed = budget_bytes(size(case.whole), free, disk)
    whole = case.whole
    plan = plan_slices(whole.n_layers, whole.vocab_size, layer_step(case.shape), size, allowed)
    if plan is None or _ROOM * (size(whole) + sum(map(size, plan.all))) > min(free, disk):
        raise AdvisorError(f"{size(whole) / GIB:.1f} GiB do not fit here")
    weighted = extrapolation(plan, case.units, whole.n_layers, whole.vocab_size)
    with EngineClient(threads=options.threads, env=LARGE_PAGES) as client, scratch_dir(options.scratch) as folder:
        paths, pools = [], BlockPools(client)
        for index, piece in enumerate((*plan.all, whole)):
            paths.append(folder / f"{index}.gguf")
            if index == len(plan.all) and case.real_file is not None:
                paths[-1] = case.real_file
                continue
            write_synthetic(case.blueprint(piece), paths[-1], pools)
        asked = MeasureParams(
            model_paths=tuple(map(str, paths)),
            prefill_factors=(*weighted.prefill, 0.0),
            decode_factors=(*weighted.decode, 0.0),
            context=ContextParams(n_ctx=options.prompt + 256),
            n_prompt=options.prompt,
            depth_tokens=options.prompt,
            precision=0.0,
            budget_s=options.seconds,
        )
        result = measure(client, asked, timeout=600.0)
    share = sum(map(size, plan.all)) / size(whole)
    return _report(case, plan, weighted, result, share)


def _report(case: Case, plan: SlicePlan, weighted: Extrapolation, result: MeasureResult, share: float) -> float:
    decode, prefill = result.decode, result.prefill
    error = decode.median_ms / decode.model_ms[-1] - 1
    prompt_ms = prefill.median_ms + weighted.rows_ms(decode.model_ms)
    # What the slices alone took of the rounds, which is what a measurement takes.
    own = sum(decode.model_ms[:-1]) * decode.n_rounds + sum(prefill.model_ms[:-1]) * prefill.n_rounds
    cells = (
        case.name,
        str(case.shape.n_layers),
        f"{plan.layers.n_layers}+{plan.rows.n_layers}",
        f"{decode.model_ms[-1]:.1f} ms",
        f"{decode.median_ms:.1f} ms",
        f"{error:+.1%}",
        f"{decode.half_width:.1%}",
        f"{prompt_ms / prefill.model_ms[-1] - 1:+.1%}",
        f"{own / 1000:.0f}",
        f"{share:.0%}",
    )
    busy = f" <!-- other programs: {result.others_cores:.2f} cores -->" if result.others_cores > 0.05 else ""
    say("| " + " | ".join(cells) + " |" + busy)
    return error


if __name__ == "__main__":
    sys.exit(main())
