"""Published speeds as rows that the domain's own formulas can be held against."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from advisor.catalog.hardware import load_cpus, load_gpus
from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.hardware import CpuFamily, CpuSpec, GpuSpec
from advisor.domain.model import Shape
from advisor.domain.placement import Placement, Pool, cpu_placement
from advisor.domain.speed.roofline import Prompt
from advisor.domain.speed.work import Parts, PoolWork, parts_of, pool_work
from advisor.domain.weights import Weights, weights

HERE = Path(__file__).parent
DATA = HERE / "data" / "speed_measurements.csv"
KNOWLEDGE = HERE.parent / "knowledge"


@dataclass(frozen=True)
class Row:
    """One published rate with everything the formulas ask for."""

    device: str
    backend: str
    era: str
    """`old` for builds of llama.cpp before June 2024, which started every kernel by itself; else `new`."""
    model: str
    quantization: str
    flash_attention: bool
    test: str
    """`tg` for decoding, `pp` for a prompt."""
    n_tokens: int
    depth_tokens: int
    ubatch: int
    tokens_per_s: float
    spec: GpuSpec | None
    shape: Shape
    weights: Weights
    pools: tuple[Pool, ...]
    placement: Placement

    @property
    def seconds(self) -> float:
        return 1.0 / self.tokens_per_s

    @property
    def n_gpus(self) -> int:
        return len(self.pools) - 1

    @property
    def family(self) -> CpuFamily:
        """Of the processor."""
        return self.pools[0].family

    @property
    def mean_depth(self) -> int:
        """Tokens in the cache, averaged over the tokens that were decoded."""
        return self.depth_tokens + self.n_tokens // 2

    @cached_property
    def parts(self) -> Parts:
        return parts_of(self.weights)

    @cached_property
    def works(self) -> tuple[PoolWork, ...]:
        return pool_work(self.shape, self.placement, self.pools, self.mean_depth)

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.n_tokens, self.depth_tokens, min(self.ubatch, self.n_tokens))


def read_rows(left_out: str = "", path: Path = DATA) -> list[Row]:
    """The rows that are used, or those that are left out for one reason."""
    return list(_rows(left_out, path))


def left_out_reasons(path: Path = DATA) -> Counter[str]:
    """How many rows are left out for each reason."""
    with path.open(newline="", encoding="utf-8") as stream:
        return Counter(raw["left_out"] for raw in csv.DictReader(stream) if raw["left_out"])


def _rows(left_out: str, path: Path) -> Iterator[Row]:
    catalogue = load_catalogue(KNOWLEDGE)
    gpus = {spec.name: spec for spec in load_gpus(KNOWLEDGE)}
    cpus = {spec.name: spec for spec in load_cpus(KNOWLEDGE)}
    with path.open(newline="", encoding="utf-8") as stream:
        for raw in csv.DictReader(stream):
            if raw["left_out"] != left_out:
                continue
            if raw["backend"] == "cpu":
                yield _row(raw, catalogue, None, (_ram(cpus.get(raw["device"]), int(raw["threads"])),))
            else:
                spec = gpus[raw["device"]]
                gpu_pools = [_vram(spec, raw["backend"]) for _ in range(int(raw["count"]))]
                yield _row(raw, catalogue, spec, (_ram(None, 8), *gpu_pools))


def _row(raw: dict[str, str], catalogue: Catalogue, spec: GpuSpec | None, pools: tuple[Pool, ...]) -> Row:
    model = catalogue.model(raw["model"])
    if model is None or model.shape is None:
        raise ValueError(f"no shape of {raw['model']}")
    n_gpus = len(pools) - 1
    base = cpu_placement(65536 + 4096, threads=max(1, pools[0].cores), n_gpus=n_gpus)
    placement = base
    if n_gpus:
        shares = [model.shape.n_layers * (i + 1) // n_gpus for i in range(n_gpus)]
        counts = tuple(b - a for a, b in zip([0, *shares[:-1]], shares, strict=True))
        placement = replace(base, gpu_layers=counts, output_on_gpu=True, ubatch=int(raw["ubatch"]))
    return Row(
        device=raw["device"],
        backend=raw["backend"],
        era=raw["era"],
        model=raw["model"],
        quantization=raw["quantization"],
        flash_attention=raw["flash_attention"] == "1",
        test=raw["test"],
        n_tokens=int(raw["n_tokens"]),
        depth_tokens=int(raw["depth_tokens"]),
        ubatch=int(raw["ubatch"]),
        tokens_per_s=float(raw["tokens_per_s"]),
        spec=spec,
        shape=model.shape,
        weights=weights(model.shape, raw["quantization"]),
        pools=pools,
        placement=placement,
    )


def _ram(cpu: CpuSpec | None, cores: int) -> Pool:
    unknown = Pool("RAM", "ram", 1 << 50, None, None, None, "cpu", cores=cores)
    if cpu is None:
        return unknown
    return replace(unknown, bandwidth_bytes_per_s=cpu.bandwidth_bytes_per_s, family=cpu.family)


def _vram(spec: GpuSpec, backend: str) -> Pool:
    return Pool(
        "GPU",
        "gpu",
        spec.memory_bytes,
        None,
        spec.bandwidth_bytes_per_s,
        spec.fp16_flops,
        backend,
        int8_ops=spec.int8_ops,
        stacked_memory=spec.stacked_memory,
    )
