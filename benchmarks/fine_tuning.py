"""Predicted against published peak memory of fine-tuning. Prints Markdown.

python -m benchmarks.fine_tuning
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal, cast

from advisor.domain.fine_tuning import Method, Recipe, training_memory
from advisor.domain.model import Shape
from advisor.units import GIB, MIB

ROWS = Path(__file__).parent / "data" / "fine_tuning.csv"
_UNITS = {"GB": 10**9, "GiB": GIB, "MiB": MIB}


@dataclass(frozen=True)
class Row:
    """One published peak with its setting."""

    model: str
    shape: Shape
    recipe: Recipe
    published_bytes: float
    what: Literal["allocated", "process"]
    """Peak that PyTorch allocated, or what the process took of the GPU."""
    reserved_over_allocated: float | None
    left_out: str
    source: str

    @property
    def predicted_bytes(self) -> int:
        memory = training_memory(self.shape, self.recipe)
        return memory.allocated_bytes if self.what == "allocated" else memory.process_bytes

    @property
    def error(self) -> float:
        """Prediction over publication, less one."""
        return self.predicted_bytes / self.published_bytes - 1


def read_rows(path: Path = ROWS) -> list[Row]:
    """The rows of the data file."""
    with path.open(newline="") as file:
        return [_row(cells) for cells in csv.DictReader(file)]


def _row(cells: dict[str, str]) -> Row:
    def number(key: str) -> int:
        return int(cells[key])

    shape = Shape(
        architecture="llama",
        n_layers=number("n_layers"),
        hidden_size=number("hidden_size"),
        n_heads=number("n_heads"),
        n_kv_heads=number("n_kv_heads"),
        head_dim=number("head_dim"),
        ffn_size=number("ffn_size"),
        vocab_size=number("vocab_size"),
        tied_embeddings=cells["tied"] == "1",
    )
    recipe = Recipe(
        method=cast(Method, cells["method"]),
        rank=number("rank"),
        projections=tuple(cells["projections"].split()),
        sequence_tokens=number("sequence_tokens"),
        micro_batch=number("micro_batch"),
        double_quantization=cells["double_quantization"] == "1",
        checkpointing=cells["checkpointing"] == "1",
        chunked_loss=cells["chunked_loss"] == "1",
        wide_rest=cells["wide_rest"] == "1",
        adapter_type_bytes=number("adapter_type_bytes"),
        dropout=cells["dropout"] == "1",
    )
    ratio = cells["reserved_over_allocated"]
    return Row(
        model=cells["model"],
        shape=shape,
        recipe=recipe,
        published_bytes=float(cells["published"]) * _UNITS[cells["unit"]],
        what=cast(Literal["allocated", "process"], cells["what"]),
        reserved_over_allocated=float(ratio) if ratio else None,
        left_out=cells["left_out"],
        source=cells["source"],
    )


def report(rows: Sequence[Row]) -> str:
    """The tables."""
    used = [row for row in rows if not row.left_out]
    kept = [row for row in used if row.recipe.checkpointing]
    whole = [row for row in used if not row.recipe.checkpointing]
    lines = [
        *_table("with gradient checkpointing, as the program assumes", kept),
        *_table("without, where every layer keeps its activations: no recipe of the program", whole),
    ]
    ratios = [row.reserved_over_allocated for row in used if row.reserved_over_allocated]
    lines.append(f"- reserved over allocated: median {median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")
    lines += [f"- left out: {row.model} {row.recipe.method}, {row.left_out} ({row.source})" for row in rows
              if row.left_out]  # fmt: skip
    return "\n".join(lines)


def _table(title: str, rows: Sequence[Row]) -> list[str]:
    sources = list(dict.fromkeys(row.source for row in rows))
    return [
        f"#### {title}",
        "",
        "| model | method | tokens × batch | what | published | predicted | error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *[_line(row) for row in rows],
        "",
        _summary("all of them", rows),
        *[_summary(source, [row for row in rows if row.source == source]) for source in sources],
        "",
    ]


def _line(row: Row) -> str:
    recipe = row.recipe
    parts = (
        row.model,
        f"{recipe.method} r={recipe.rank}{', double' if recipe.double_quantization else ''}",
        f"{recipe.sequence_tokens:,} × {recipe.micro_batch}",
        row.what,
        f"{row.published_bytes / GIB:.2f} GiB",
        f"{row.predicted_bytes / GIB:.2f} GiB",
        f"{row.error:+.1%}",
    )
    return f"| {' | '.join(parts)} |"


def _summary(name: str, rows: Sequence[Row]) -> str:
    errors = [row.error for row in rows]
    typical = median(abs(e) for e in errors)
    return f"- {name}: {len(rows)} rows, median error {typical:.1%}, from {min(errors):+.1%} to {max(errors):+.1%}"


if __name__ == "__main__":
    print(report(read_rows()))  # noqa: T201
