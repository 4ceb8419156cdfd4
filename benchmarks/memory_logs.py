"""Replay what real llama.cpp runs printed about their memory, and print predicted against logged, per component.

Usage: python -m benchmarks.memory_logs [FILE.csv]

The logs come from many versions; the closed form follows one, llama-cpp-python 0.3.36. What older graphs lacked is
in memory.md beside this file. A row is replayed by the case of its number: the log tells neither vocabulary nor
head sizes, the model does.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from advisor.domain.footprint import batch_dims, footprint
from advisor.domain.graph.reserve import GraphPlacement, compute_buffers
from advisor.domain.kv_cache import kv_layer_bytes
from advisor.domain.model import Experts, Shape
from advisor.domain.placement import KvType, Placement, cpu_placement
from advisor.domain.weights import weights
from advisor.units import MIB

LLAMA_2_7B = Shape("llama", 32, 4096, 32, 32, 128, 11008, 32000, False)
LLAMA_2_13B = Shape("llama", 40, 5120, 40, 40, 128, 13824, 32000, False)
LLAMA_3_8B = Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, False)
LLAMA_31_8B = replace(LLAMA_3_8B, rope_factors=True)
LLAMA_32_1B = Shape("llama", 16, 2048, 32, 8, 64, 8192, 128256, True, rope_factors=True)
LLAMA_32_3B = Shape("llama", 28, 3072, 24, 8, 128, 8192, 128256, True, rope_factors=True)
LLAMA_31_70B = Shape("llama", 80, 8192, 64, 8, 128, 28672, 128256, False, rope_factors=True)
MISTRAL_7B_V02 = Shape("llama", 32, 4096, 32, 8, 128, 14336, 32000, False)
MIXTRAL = replace(MISTRAL_7B_V02, experts=Experts(8, 2, 0, 14336))
DEVSTRAL_SMALL = Shape("mistral3", 40, 5120, 32, 8, 128, 32768, 131072, False)


@dataclass(frozen=True)
class Case:
    """How a row of the logs is replayed."""

    shape: Shape
    quantization: str | None
    """None where the log does not say."""
    gpu_layers: int | None
    """Layers without the output; None where llama.cpp had no GPU."""
    context: int
    flash_attention: bool = False
    parallel: int = 1
    ubatch: int = 512
    kv_types: tuple[KvType, KvType] = ("f16", "f16")
    outputs: int | None = None
    output_on_gpu: bool = True
    """Until 2025 llama.cpp offloaded the output last, now first."""
    imatrix: bool = True


CASES = {
    1: Case(LLAMA_31_8B, "Q5_K_S", 32, 1024, kv_types=("q4_0", "f16")),
    2: Case(LLAMA_2_13B, "Q8_0", 0, 512),
    3: Case(LLAMA_31_8B, "Q4_K_M", 32, 8192),
    4: Case(LLAMA_2_7B, "Q4_0", 32, 8192, imatrix=False),
    5: Case(LLAMA_31_8B, "Q4_K_M", 14, 32768, flash_attention=True, outputs=1),
    6: Case(DEVSTRAL_SMALL, "BF16", 0, 256, flash_attention=True, ubatch=6),
    7: Case(LLAMA_32_1B, "Q4_K_M", None, 1024),
    8: Case(LLAMA_32_3B, "Q4_K_M", 28, 2048, flash_attention=True),
    10: Case(MIXTRAL, "Q5_K_M", 32, 512),
    11: Case(MISTRAL_7B_V02, "Q4_K_M", None, 512),
    12: Case(MISTRAL_7B_V02, "Q4_0", None, 2048),
    13: Case(LLAMA_31_8B, "Q4_K_M", 32, 512),
    14: Case(LLAMA_31_8B, "Q4_K_M", 32, 8192),
    15: Case(LLAMA_31_8B, None, 32, 2048),
    16: Case(LLAMA_3_8B, "Q6_K", None, 512),
    17: Case(LLAMA_32_3B, None, None, 4096, flash_attention=True),
    18: Case(LLAMA_32_3B, None, None, 4096),
    19: Case(LLAMA_32_1B, None, 16, 4096, flash_attention=True),
    20: Case(LLAMA_2_7B, "F16", 32, 2048),
    21: Case(LLAMA_32_3B, "Q4_K_M", 28, 4096, flash_attention=True),
    22: Case(LLAMA_31_70B, "Q4_K_M", 33, 2048, output_on_gpu=False),
    23: Case(LLAMA_3_8B, None, 32, 8192, flash_attention=True, parallel=4),
    24: Case(LLAMA_3_8B, None, 32, 8192, flash_attention=True, kv_types=("q8_0", "q8_0")),
    25: Case(LLAMA_31_8B, "Q4_K_M", None, 2048),
    26: Case(LLAMA_32_1B, "Q4_K_M", 16, 2048),
}
NOT_REPLAYED = {9: "Vulkan with integrated graphics, two buffers in system memory"}
FIELDS = ("gpu_model_mib", "cpu_model_mib", "kv_mib", "compute_gpu_mib", "compute_host_mib")


def placement_of(case: Case) -> Placement:
    """The case as a placement."""
    base = cpu_placement(case.context, parallel=case.parallel)
    layers = () if case.gpu_layers is None else (case.gpu_layers,)
    return replace(
        base,
        gpu_layers=layers,
        output_on_gpu=bool(case.gpu_layers) and case.output_on_gpu,
        kv_type=case.kv_types[0],
        value_type=case.kv_types[1],
        flash_attention=case.flash_attention,
        ubatch=case.ubatch,
        outputs=case.outputs,
    )


def predicted(case: Case) -> dict[str, float]:
    """MiB of each component; weights only where the log names the file type."""
    placement = placement_of(case)
    held = weights(case.shape, case.quantization or "Q4_K_M", imatrix=case.imatrix)
    where = GraphPlacement(placement.gpu_layers, placement.output_on_gpu)
    # A build with GPUs uses them for large batches even without a layer on them, so the graph is asked directly.
    *gpus, host = compute_buffers(case.shape, batch_dims(case.shape, placement), where, held.largest)
    names = tuple(f"GPU{i}" for i in range(len(placement.gpu_layers)))
    ram, *cards = footprint(case.shape, held, placement, names).devices
    found = {
        "kv_mib": sum(kv_layer_bytes(case.shape, placement)) / MIB,
        "compute_gpu_mib": sum(gpus) / MIB,
        "compute_host_mib": host / MIB,
    }
    if case.quantization is not None:
        found |= {"gpu_model_mib": sum(d.weights_bytes for d in cards) / MIB, "cpu_model_mib": ram.weights_bytes / MIB}
    return found


def logged(row: dict[str, str]) -> dict[str, float]:
    """MiB of each component that the log gives as a plain number."""
    found = {}
    for name in FIELDS:
        match = re.match(r"\d+(\.\d+)?", row[name])
        if match is not None:
            found[name] = float(match[0])
    return found


@dataclass(frozen=True)
class Comparison:
    """One row replayed."""

    number: int
    name: str
    era: str
    predicted: dict[str, float]
    logged: dict[str, float]

    @property
    def shared(self) -> list[str]:
        """Components that both sides have."""
        return [name for name in FIELDS if name in self.predicted and name in self.logged]

    @property
    def error(self) -> float:
        """Relative error of the sum of the components that both sides have."""
        there = sum(self.logged[name] for name in self.shared)
        return sum(self.predicted[name] for name in self.shared) / there - 1

    @property
    def is_whole(self) -> bool:
        """Whether weights and cache are known, so that the sum is a total."""
        return {"kv_mib", "cpu_model_mib"} <= set(self.shared)


def era_of(row: dict[str, str]) -> str:
    """What the notes call the version."""
    return next((word for word in ("FORK", "OLD", "RECENT") if word in row["notes"]), "2024")


def compare(rows: Sequence[dict[str, str]]) -> list[Comparison]:
    """Every row that can be replayed."""
    return [
        Comparison(i, f"{row['model'][:28]} {row['quant'][:12]}", era_of(row), predicted(CASES[i]), logged(row))
        for i, row in enumerate(rows, start=1)
        if i in CASES
    ]


def table(found: Sequence[Comparison]) -> str:
    """A Markdown table, `predicted / logged` in MiB."""
    head = "| # | model | era | weights GPU | weights RAM | KV cache | compute GPU | compute RAM | sum |"
    lines = [head, "|" + "---|" * 9]
    for one in found:
        cells = [
            f"{one.predicted[name]:.2f} / {one.logged[name]:.2f}" if name in one.shared else "–" for name in FIELDS
        ]
        total = f"{one.error:+.2%}" + ("" if one.is_whole else " (part)")
        lines.append(f"| {one.number} | {one.name.strip()} | {one.era} | {' | '.join(cells)} | {total} |")
    return "\n".join(lines)


def summary(found: Sequence[Comparison]) -> str:
    """Errors of the totals in one line each."""
    whole = [one.error for one in found if one.is_whole]
    weights_only = [
        abs(one.predicted[name] / one.logged[name] - 1)
        for one in found
        for name in ("gpu_model_mib", "cpu_model_mib", "kv_mib")
        if name in one.shared and one.logged[name]
    ]
    return "\n".join([
        f"totals: {len(whole)} rows, median error {median(map(abs, whole)):.2%}, from {min(whole):+.2%} to"
        f" {max(whole):+.2%}",
        f"weights and cache: {len(weights_only)} figures, median error {median(weights_only):.3%}, largest"
        f" {max(weights_only):.2%}",
    ])  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Print table and summary."""
    path = Path(arguments[0]) if arguments else Path(__file__).parent / "data" / "memory_logs.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        found = compare(list(csv.DictReader(stream)))
    print(table(found), "", summary(found), sep="\n")  # noqa: T201  # the command's output


if __name__ == "__main__":
    main(sys.argv[1:])
