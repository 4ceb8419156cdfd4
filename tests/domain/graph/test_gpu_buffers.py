"""Buffers on GPUs against llama.cpp's scheduler, which planned for stand-in GPUs (benchmarks/stand_in_gpu)."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.footprint import footprint
from advisor.domain.model import Shape
from advisor.domain.placement import KvType, Placement, cpu_placement
from advisor.domain.weights import weights
from advisor.units import MIB
from tests.shapes import KINDS

RECORDED = Path(__file__).parents[2] / "data" / "stand_in_gpu.csv"
ROWS = list(csv.DictReader(RECORDED.read_text(encoding="utf-8").splitlines()))
LOG_MIB = 0.0051
"""The log rounds to 0.01 MiB."""


def shape_of(row: dict[str, str]) -> Shape:
    shape = replace(KINDS[row["kind"]], n_layers=int(row["n_layers"]))
    if shape.experts is None:
        return shape
    return replace(shape, experts=replace(shape.experts, n_total=min(16, shape.experts.n_total)))


def placement_of(row: dict[str, str]) -> Placement:
    kv_type: KvType = "q8_0" if row["kv_type"] == "q8_0" else "f16"
    return replace(
        cpu_placement(int(row["n_ctx"]), parallel=int(row["n_seq_max"])),
        gpu_layers=tuple(int(n) for n in row["gpu_layers"].split("+")),
        output_on_gpu=True,
        experts_in_ram=row["experts_in_ram"] == "1",
        kv_type=kv_type,
        flash_attention=row["flash_attention"] == "1",
        ubatch=int(row["n_ubatch"]),
        outputs=int(row["n_outputs_max"]) or None,
    )


def buffers(row: dict[str, str]) -> list[float]:
    shape, placement = shape_of(row), placement_of(row)
    names = tuple(f"GPU{i}" for i in range(len(placement.gpu_layers)))
    ram, *gpus = footprint(shape, weights(shape, "Q8_0"), placement, names).devices
    return [device.compute_bytes / MIB for device in (*gpus, ram)]


def recorded(row: dict[str, str]) -> list[float]:
    return [*map(float, row["gpu_mib"].split("+")), float(row["ram_mib"])]


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in ROWS} - {"codestral-mamba"}))
def test_buffers_of_transformers_are_exact_on_any_split(kind: str) -> None:
    rows = [row for row in ROWS if row["kind"] == kind]
    assert len(rows) >= 40
    for row in rows:
        assert buffers(row) == pytest.approx(recorded(row), abs=LOG_MIB), row


def test_buffers_of_a_state_space_model_are_close() -> None:
    """Its scan copies views of which the sizes are restated only roughly."""
    for row in (row for row in ROWS if row["kind"] == "codestral-mamba"):
        assert buffers(row) == pytest.approx(recorded(row), rel=0.01), row
