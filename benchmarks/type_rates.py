"""What `benchmarks.processor_types` measured, as rows for the fit."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

Place = Literal["memory", "cache", "attention"]

FOLDER = Path(__file__).parent / "data"
COLUMNS = (
    *("processor", "instruction_sets", "llama_cpp_python", "date", "place", "threads", "ggml_type"),
    *("decode_bytes_per_s", "prefill_ops_per_s"),
)
TIMED_TYPES = (
    *("F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K"),
    *("IQ4_NL", "IQ4_XS", "MXFP4", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_S", "IQ1_M"),
)
"""All types of the offered file types, and those that other files are made of."""


@dataclass(frozen=True)
class TypeRate:
    """One type on one processor, all threads together."""

    place: Place
    """Where the weights lay: `memory`, or `cache` where only the cores bound the rate. `attention` is no rate of
    weights but of the cache of keys and values."""
    threads: int
    ggml_type: str
    decode: float
    """Bytes of weights decoded in a second."""
    prefill: float
    """Operations in a second on a prompt."""
    processor: str = ""
    instruction_sets: tuple[str, ...] = ()


def read_type_rates(folder: Path = FOLDER) -> list[TypeRate]:
    """All measured processors."""
    found = []
    for path in sorted(folder.glob("processor-*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            found += [_rate(row) for row in csv.DictReader(stream)]
    return found


def _rate(row: dict[str, str]) -> TypeRate:
    return TypeRate(
        place=cast(Place, row["place"]),
        threads=int(row["threads"]),
        ggml_type=row["ggml_type"],
        decode=float(row["decode_bytes_per_s"]),
        prefill=float(row["prefill_ops_per_s"]),
        processor=row["processor"],
        instruction_sets=tuple(row["instruction_sets"].split()),
    )
