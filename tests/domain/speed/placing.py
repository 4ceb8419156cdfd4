"""Placed models for tests of speed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from advisor.catalog.speed import load_speed
from advisor.domain.fit import Fit, ways_to_run
from advisor.domain.hardware import GpuSpec
from advisor.domain.model import Model
from advisor.domain.placement import cpu_placement
from advisor.domain.pools import memory_pools
from advisor.domain.speed import Speed, SpeedConstants, estimate_speed
from advisor.domain.weights import weights
from advisor.paths import knowledge_dir
from advisor.units import GIB
from tests.builders import RTX_4090, constraints, figures, gpu, machine


@cache
def constants() -> SpeedConstants:
    return load_speed(knowledge_dir())


def best_fit(
    found: Model,
    quantization: str,
    *vram: int,
    context: int = 8192,
    spec: GpuSpec | None = RTX_4090,
    cores: int = 8,
    platform: str = "linux-x86_64",
) -> Fit:
    here = machine(512 * GIB, *(gpu(v, index=i) for i, v in enumerate(vram)), cores=cores)
    here = replace(here, platform=platform)
    pools = memory_pools(here, constraints().machine, figures(here, spec))
    base = cpu_placement(context, n_gpus=len(vram))
    assert found.shape is not None
    return ways_to_run(found.shape, weights(found.shape, quantization), base, pools, allow_cpu=True)[0]


def speed_or_none(
    found: Model,
    quantization: str,
    *vram: int,
    context: int = 8192,
    depth: int = 512,
    prompt: int = 512,
    spec: GpuSpec | None = RTX_4090,
    cores: int = 8,
    platform: str = "linux-x86_64",
) -> Speed | None:
    fit = best_fit(found, quantization, *vram, context=context, spec=spec, cores=cores, platform=platform)
    assert found.shape is not None
    held = weights(found.shape, quantization)
    return estimate_speed(found, held, fit, constants(), depth_tokens=depth, prompt_tokens=prompt)


def best_speed(found: Model, quantization: str, *vram: int, depth: int = 512, prompt: int = 512, context: int = 8192,
               spec: GpuSpec | None = RTX_4090, cores: int = 8, platform: str = "linux-x86_64") -> Speed:  # fmt: skip
    speed = speed_or_none(
        found,
        quantization,
        *vram,
        context=context,
        depth=depth,
        prompt=prompt,
        spec=spec,
        cores=cores,
        platform=platform,
    )
    assert speed is not None
    return speed
