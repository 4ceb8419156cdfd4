"""How fast the processor at hand decodes each ggml type, and multiplies it with a prompt; see benchmarks/README.md.

`python -m benchmarks.processor_types` writes a CSV under benchmarks/data/, from which `benchmarks.fit_speed` takes the
rates of its family of processors. Only an idle machine gives figures to keep; `--threads` and `--place` run one part.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.footprint import kv_cell_bytes
from advisor.domain.ggml import GGML_TYPES, GgmlType
from advisor.domain.model import Shape
from advisor.domain.tensors import Role, tensor_groups
from advisor.domain.weights import metadata
from advisor.engine.client import EngineClient
from advisor.engine.messages import ContextParams, MeasureParams, MeasureResult
from advisor.engine.operations import describe, measure
from advisor.engine.synthetic import BlockPools
from advisor.errors import AdvisorError
from advisor.gguf.scratch import scratch_dir
from advisor.gguf.writer import write_synthetic
from advisor.probe.cgroup import read_cgroup_limits
from advisor.probe.host import read_cpu
from benchmarks.shared import say
from benchmarks.type_rates import COLUMNS, FOLDER, TIMED_TYPES, Place, TypeRate

PROMPT_TOKENS = 128
LONG_TOKENS = 1024
"""Prompt and depth that make attention count."""
DEPTH_TOKENS = 16
"""Next to nothing in the cache, so that decoding is reading weights."""


@dataclass(frozen=True)
class Bench:
    """One kind of model: layers as large as a small model's, or so small that both depths stay in the cache.

    The difference of the two depths is a layer, without what a token costs anyhow. The last layer of a prompt computes
    the asked row only, so one layer alone would say nothing.
    """

    place: Place
    n_heads: int
    head_dim: int
    ffn: int
    depths: tuple[int, int]

    def shape(self, n_layers: int) -> Shape:
        """Rows of 2048, since short ones are slower; four heads share a key, as in Llama 3."""
        heads = (self.n_heads, self.n_heads // HEADS_OF_A_KEY, self.head_dim)
        return Shape("llama", n_layers, 2048, *heads, self.ffn, 256, tied_embeddings=True)

    def blueprint(self, kind: GgmlType, n_layers: int) -> Blueprint:
        """A model whose matrices are all of one type."""
        shape, tensors = self.shape(n_layers), []
        for group in tensor_groups(shape):
            own = GGML_TYPES["F32"] if group.role is Role.UNQUANTIZED or len(group.shape) < 2 else kind
            tensors += [Tensor(name, group.shape, own) for name in group.names()]
        return Blueprint(metadata(shape, 4096, 1e4), tuple(tensors))

    def layer_weights(self) -> int:
        """Weights of one layer's matrices."""
        groups = tensor_groups(self.shape(1))
        return sum(group.n_elements for group in groups if group.layers and group.role is not Role.UNQUANTIZED)


HEADS_OF_A_KEY = 4
IN_MEMORY = Bench("memory", 32, 64, 5632, (1, 3))
ATTENTION = Bench("attention", 16, 128, 1024, (1, 3))
IN_CACHE = Bench("cache", 8, 64, 1024, (1, 2))
"""Three layers of 4.5 bits are 16 MB, of 6.6 bits 23 MB: they stay in a cache of 32 MB while nothing else is timed."""
_CACHE_TYPES_BITS = 7.0
"""Wider types would not stay in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Time all types, print a table and write the CSV."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", nargs="*", default=list(TIMED_TYPES), choices=list(TIMED_TYPES))
    parser.add_argument(
        "--threads", type=int, nargs="*", help="numbers of threads; 1 and all usable cores unless given"
    )
    parser.add_argument("--place", choices=("memory", "cache", "attention"), help="one part only")
    parser.add_argument("--seconds", type=float, default=40.0, help="timing of one part")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    cpu = read_cpu(read_cgroup_limits())
    n_cores = max(1, int(min(cpu.usable_cores.value or 1, cpu.physical_cores.value or 1)))
    kinds = [GGML_TYPES[name] for name in options.types]
    rates: list[TypeRate] = []
    for n_threads in options.threads or sorted({1, n_cores}):
        if options.place in (None, "memory"):
            rates += in_memory(kinds, n_threads, options.seconds)
    if options.place in (None, "cache"):
        rates += in_cache([k for k in kinds if k.bits_per_weight < _CACHE_TYPES_BITS], options.seconds)
    if options.place in (None, "attention"):
        rates.append(attention(options.seconds))
    say(table(rates))
    if not options.check:
        with EngineClient() as client:
            version = describe(client).version
        sets = " ".join(cpu.instruction_sets.value or ())
        _write(rates, cpu.name.value or "unknown", sets, version)
    return 0


def in_memory(kinds: Sequence[GgmlType], n_threads: int, seconds: float) -> list[TypeRate]:
    """All types in turn, together far larger than any cache, so that each is read from memory."""
    return _rates(IN_MEMORY, kinds, n_threads, _timed(IN_MEMORY, kinds, n_threads, seconds))


def in_cache(kinds: Sequence[GgmlType], seconds: float) -> list[TypeRate]:
    """One type after the other with one thread, so that its weights are still in the cache for the next token."""
    found: list[TypeRate] = []
    for kind in kinds:
        found += _rates(IN_CACHE, [kind], 1, _timed(IN_CACHE, [kind], 1, seconds / len(kinds)))
    return found


def attention(seconds: float) -> TypeRate:
    """One core with a cache in F16: what a long prompt and a deep cache cost beyond short ones.

    Decoding is counted in bytes of the cache, once for each head that looks at them.
    """
    kind = GGML_TYPES["Q4_0"]
    short = _timed(ATTENTION, [kind], 1, seconds / 2)
    long = _timed(ATTENTION, [kind], 1, seconds / 2, LONG_TOKENS, LONG_TOKENS)
    shape = ATTENTION.shape(1)
    token_s = _layer_s(ATTENTION, long.decode.model_ms, 0) - _layer_s(ATTENTION, short.decode.model_ms, 0)
    cache_bytes = (LONG_TOKENS - DEPTH_TOKENS) * kv_cell_bytes(shape, "f16") * HEADS_OF_A_KEY
    times = LONG_TOKENS / PROMPT_TOKENS
    prompt_s = _layer_s(ATTENTION, long.prefill.model_ms, 0) - times * _layer_s(ATTENTION, short.prefill.model_ms, 0)
    ops = _attention_ops(shape, LONG_TOKENS) - times * _attention_ops(shape, PROMPT_TOKENS)
    say(f"attention: {long.prefill.n_rounds} prompts and {long.decode.n_rounds} tokens of each model")
    return TypeRate("attention", 1, "F16", cache_bytes / _positive(token_s), ops / _positive(prompt_s))


def _attention_ops(shape: Shape, n_tokens: int) -> float:
    """Of one layer: scores and weighted values over what stands before each token."""
    return 4.0 * n_tokens * (n_tokens / 2) * shape.n_heads * shape.head_dim


def _timed(
    bench: Bench,
    kinds: Sequence[GgmlType],
    n_threads: int,
    seconds: float,
    n_prompt: int = PROMPT_TOKENS,
    depth_tokens: int = DEPTH_TOKENS,
) -> MeasureResult:
    with EngineClient(threads=n_threads) as client, scratch_dir() as folder:
        pools, paths = BlockPools(client), []
        for kind in kinds:
            for n_layers in bench.depths:
                paths.append(folder / f"{kind.name}-{n_layers}.gguf")
                write_synthetic(bench.blueprint(kind, n_layers), paths[-1], pools)
        ones = (1.0,) * len(paths)
        asked = MeasureParams(
            model_paths=tuple(map(str, paths)),
            prefill_factors=ones,
            decode_factors=ones,
            context=ContextParams(n_ctx=n_prompt + 64, threads=n_threads),
            n_prompt=n_prompt,
            depth_tokens=depth_tokens,
            precision=0.0,
            budget_s=seconds,
        )
        return measure(client, asked, timeout=seconds + 240.0)


def _rates(bench: Bench, kinds: Sequence[GgmlType], n_threads: int, result: MeasureResult) -> list[TypeRate]:
    n_weights, found = bench.layer_weights(), []
    for index, kind in enumerate(kinds):
        decode_s, prefill_s = (_layer_s(bench, series.model_ms, index) for series in (result.decode, result.prefill))
        n_bytes, ops = kind.n_bytes(n_weights), 2.0 * n_weights * PROMPT_TOKENS
        rates = (n_bytes / _positive(decode_s), ops / _positive(prefill_s))
        found.append(TypeRate(bench.place, n_threads, kind.name, *rates))
    rounds = f"{result.prefill.n_rounds} prompts and {result.decode.n_rounds} tokens of each model"
    busy = f", other programs {result.others_cores:.2f} cores" if result.others_cores > 0.05 else ""
    say(f"{bench.place}, {n_threads} threads, {', '.join(k.name for k in kinds)}: {rounds}{busy}")
    return found


def _layer_s(bench: Bench, model_ms: Sequence[float], index: int) -> float:
    """Seconds of one layer."""
    few, many = model_ms[2 * index], model_ms[2 * index + 1]
    return (many - few) / 1000 / (bench.depths[1] - bench.depths[0])


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise AdvisorError("more layers took less time", hint="Close other programs, or give it more --seconds.")
    return seconds


def table(rates: Iterable[TypeRate]) -> str:
    """One row a type, one pair of columns for each part."""
    parts: dict[tuple[str, int], dict[str, TypeRate]] = {}
    for rate in rates:
        parts.setdefault((rate.place, rate.threads), {})[rate.ggml_type] = rate
    names = dict.fromkeys(name for part in parts.values() for name in part)
    heads = [f"{place}, {n} thread{'s' if n > 1 else ''}" for place, n in parts]
    lines = [
        "| type | " + " | ".join(f"{h}: GB/s | Gop/s" for h in heads) + " |",
        "| --- |" + " --- | --- |" * len(parts),
    ]
    for name in names:
        cells = []
        for part in parts.values():
            own = part.get(name)
            cells += ["", ""] if own is None else [f"{own.decode / 1e9:.1f}", f"{own.prefill / 1e9:.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _write(rates: Iterable[TypeRate], processor: str, sets: str, version: str) -> None:
    """Put the rates into the processor's file; parts that were not timed now stay as they are."""
    words = "".join(letter if letter.isalnum() else "-" for letter in processor.lower()).strip("-")
    path = FOLDER / f"processor-{words}.csv"
    rows: dict[tuple[str, ...], tuple[str, ...]] = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as stream:
            rows = {tuple(row[4:7]): tuple(row) for row in list(csv.reader(stream))[1:]}
    today = datetime.now(UTC).date().isoformat()
    for rate in rates:
        key = (rate.place, str(rate.threads), rate.ggml_type)
        rows[key] = (processor, sets, version, today, *key, f"{rate.decode:.4g}", f"{rate.prefill:.4g}")
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *rows.values()])
    say(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())
