"""Models larger than the GPU: the placement that the program would choose, against published rates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from advisor.catalog.hardware import load_cpus
from advisor.catalog.speed import load_speed
from advisor.domain.fit import Fit, ways_to_run
from advisor.domain.placement import cpu_placement
from advisor.domain.speed.estimate import decode_seconds
from advisor.domain.speed.work import parts_of, pool_work
from advisor.units import GIB
from benchmarks.speed_rows import KNOWLEDGE, Row, read_rows

REASON = "larger than the GPU; used to check spilling"
CONTEXT = 4096
_DESKTOP_BYTES = GIB
"""What a desktop and the driver keep of a card."""


@dataclass(frozen=True)
class Host:
    """The processor that the source names beside the card."""

    cpu: str
    cores: int


HOSTS = {
    "RTX 5070": Host("Intel Core 13th generation mobile", 14),
    "RTX 2080": Host("Intel Core X 10th generation", 10),
}


def spill_table() -> str:
    """One line for each published rate."""
    lines = [
        "### larger than the GPU: layers split between card and processor\n",
        "| GPU | model | layers on the GPU | published | this program | error |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in read_rows(REASON):
        way, rate = _estimate(row)
        layers = f"{sum(way.placement.gpu_layers)} of {row.shape.n_layers}"
        error = rate / row.tokens_per_s - 1
        lines.append(
            f"| {row.device} | {row.model} {row.quantization} | {layers} | {row.tokens_per_s:.1f} | {rate:.1f} "
            f"| {error:+.0%} |"
        )
    return "\n".join(lines) + "\n"


def _estimate(row: Row) -> tuple[Fit, float]:
    host = HOSTS[row.device]
    cpu = next(cpu for cpu in load_cpus(KNOWLEDGE) if cpu.name == host.cpu)
    ram, card = row.pools
    pools = (
        replace(ram, bandwidth_bytes_per_s=cpu.bandwidth_bytes_per_s, cores=host.cores, family=cpu.family),
        replace(card, budget_bytes=card.budget_bytes - _DESKTOP_BYTES),
    )
    base = cpu_placement(CONTEXT, threads=host.cores, n_gpus=1)
    constants, timed = load_speed(KNOWLEDGE), []
    for way in ways_to_run(row.shape, row.weights, base, pools, allow_cpu=True):
        works = pool_work(row.shape, way.placement, pools, row.mean_depth)
        seconds = decode_seconds(parts_of(row.weights), works, row.shape, constants, [])
        timed.append((way, 1 / seconds if seconds else 0.0))
    return max(timed, key=lambda pair: pair[1])
