from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from advisor.catalog.hardware import find_gpu, load_cpus, load_gpus
from advisor.domain.hardware import CpuSpec, GpuSpec
from advisor.errors import InputError
from advisor.units import GIB
from tests.catalog.example import KNOWLEDGE


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads((KNOWLEDGE / "hardware" / name).read_text(encoding="utf-8"))


def _with_gpus(tmp_path: Path, rows: str) -> Path:
    (tmp_path / "hardware").mkdir()
    text = f'schema_version = 1\n{rows}\n[sources.sheet]\ntext = "a data sheet"\nchecked = 2026-11-23\n'
    (tmp_path / "hardware" / "gpus.toml").write_text(text, encoding="utf-8")
    return tmp_path


def _row(name: str, *extra: str, source: str = "sheet", memory: int = 8 * GIB) -> str:
    keys = [f'name = "{name}"', 'vendor = "nvidia"', 'backend = "cuda"', f"memory = {memory}"]
    return "[[gpu]]\n" + "\n".join([*keys, "bandwidth_gb_s = 100", f'source = "{source}"', *extra]) + "\n"


# The files


def test_there_are_enough_gpus_of_every_vendor(gpus: tuple[GpuSpec, ...]) -> None:
    assert len(gpus) >= 120
    assert {spec.vendor for spec in gpus} == {"nvidia", "amd", "intel", "apple"}


def test_there_are_enough_processors(cpus: tuple[CpuSpec, ...]) -> None:
    assert len(cpus) >= 40


@pytest.mark.parametrize("file", ["gpus.toml", "cpus.toml"])
def test_every_source_is_dated_and_used(file: str) -> None:
    document = _document(file)
    rows = document["gpu" if file == "gpus.toml" else "cpu"]
    assert {row["source"] for row in rows} == set(document["sources"])
    assert {str(source["checked"]) for source in document["sources"].values()} == {"2026-11-23"}


def test_figures_are_plausible(gpus: tuple[GpuSpec, ...]) -> None:
    for spec in gpus:
        assert GIB <= spec.memory_bytes <= 512 * GIB, spec.name
        assert 60e9 <= spec.bandwidth_bytes_per_s <= 8.2e12, spec.name
        assert spec.fp16_flops is None or 2e12 <= spec.fp16_flops <= 2.6e15, spec.name
        # Eight-bit integers never run slower than half-precision numbers.
        assert None in (spec.int8_ops, spec.fp16_flops) or (spec.int8_ops or 0) >= (spec.fp16_flops or 0), spec.name


def test_processor_bandwidth_is_channels_times_transfer_rate() -> None:
    for row in _document("cpus.toml")["cpu"]:
        if "channels" not in row:
            continue
        megatransfers = int(row["memory"].rpartition("-")[2])
        peak = row["channels"] * 8 * megatransfers / 1000
        assert row["bandwidth_gb_s"] == pytest.approx(peak, rel=0.005), row["name"]


@pytest.mark.parametrize(
    ("name", "gb_s", "fp16_tflops", "gib"),
    [
        ("RTX 4090", 1008, 165.2, 24),  # Ada whitepaper v2.1, appendix A
        ("RTX 3090", 936, 71, 24),  # GA102 whitepaper, FP16 with FP32 accumulation
        ("RTX 5090", 1792, 209.5, 32),  # RTX Blackwell whitepaper, table 3
        ("RTX 2080 Ti", 616, 53.8, 11),  # Turing architecture table, reference board
        ("Quadro RTX 6000", 672, 130.5, 24),  # the same table: no halving for FP32 accumulation
        ("RTX A6000", 768, 154.8, 48),  # GA102 whitepaper, table 3
        ("RTX PRO 6000 Blackwell", 1792, 503.8, 96),  # RTX PRO Blackwell whitepaper, table 4
        ("A100 SXM 80GB", 2039, 312, 80),  # A100 datasheet, dense
        ("H100 SXM 80GB", 3350, 989.5, 80),  # H100 product page, 1,979 with sparsity
        ("L4", 300, 121, 24),  # L4 product page, 242 with sparsity
        ("MI300X", 5300, 1307.4, 192),  # MI300X data sheet, dense
        ("RX 7900 XTX", 960, 122.8, 24),  # GPUOpen: 512 per clock and unit, 96 units at 2498 MHz
        ("Apple M2 Ultra", 800, 27.2, 192),  # Apple newsroom: 800 GB/s, 192 GB
    ],
)
def test_figure_is_the_published_one(
    gpus: tuple[GpuSpec, ...], name: str, gb_s: float, fp16_tflops: float, gib: int
) -> None:
    spec = find_gpu(gpus, name)
    assert spec.bandwidth_bytes_per_s / 1e9 == pytest.approx(gb_s, rel=0.003)
    assert spec.fp16_flops is not None
    assert spec.fp16_flops / 1e12 == pytest.approx(fp16_tflops, rel=0.005)
    assert spec.memory_bytes == gib * GIB


# Mistakes in a file


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gpus\.toml: gpu\[X1\]\.memory: .*greater than 0"):
        load_gpus(_with_gpus(tmp_path, _row("X1", memory=0)))


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gpu\[X1\]\.fp16_tflop: ") as caught:
        load_gpus(_with_gpus(tmp_path, _row("X1", "fp16_tflop = 10")))
    assert caught.value.hint == "Did you mean 'fp16_tflops'?"


def test_an_unknown_source_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gpu\[X1\]\.source: no source 'sheets'") as caught:
        load_gpus(_with_gpus(tmp_path, _row("X1", source="sheets")))
    assert caught.value.hint == "Did you mean 'sheet'?"


def test_a_row_says_what_it_rests_on(tmp_path: Path) -> None:
    (spec,) = load_gpus(_with_gpus(tmp_path, _row("X1")))
    assert spec.source == "a data sheet, checked 2026-11-23"
    assert spec.bandwidth_bytes_per_s == 100e9
    assert spec.fp16_flops is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cpus\.toml cannot be read"):
        load_cpus(tmp_path)
