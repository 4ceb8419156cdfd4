"""Replicas and loads for tests, from the shipped constants and the catalogue's figures."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from advisor.catalog.hardware import find_gpu, load_gpus
from advisor.catalog.serving import load_nodes, load_serving
from advisor.catalog.speed import load_speed
from advisor.domain.capacity import vllm
from advisor.domain.capacity.engines import ServingFacts
from advisor.domain.capacity.load import Traffic, traffic_of
from advisor.domain.capacity.nodes import Node
from advisor.domain.capacity.options import Subject
from advisor.domain.capacity.replica import Replica
from advisor.domain.capacity.step import StepCosts, Unit
from advisor.domain.capacity.targets import targets_of
from advisor.domain.capacity.trace import Trace
from advisor.domain.hardware import GpuSpec
from advisor.domain.model import Shape
from advisor.domain.speed.constants import SpeedConstants
from advisor.paths import knowledge_dir
from tests.builders import LLAMA_3_8B, constraints, model


@cache
def serving() -> ServingFacts:
    return load_serving(knowledge_dir())


@cache
def speed_constants() -> SpeedConstants:
    return load_speed(knowledge_dir())


@cache
def gpu(name: str) -> GpuSpec:
    return find_gpu(load_gpus(knowledge_dir()), name)


@cache
def nodes() -> tuple[Node, ...]:
    return load_nodes(knowledge_dir(), load_gpus(knowledge_dir()))


def node(name: str) -> Node:
    return next(n for n in nodes() if n.name == name)


def traffic(trace: Trace | None = None, **answers: object) -> Traffic:
    return traffic_of(constraints(**answers), trace)


def subject(shape: Shape = LLAMA_3_8B, quantization: str = "Q4_K_M", **answers: object) -> Subject:
    needs = constraints(**answers)
    return Subject(
        model=model("test-8b", shape),
        shape=shape,
        quantization=quantization,
        precisions=vllm.PRECISIONS,
        context_tokens=needs.task.context_tokens,
        traffic=traffic_of(needs),
        targets=targets_of(needs),
        speed=speed_constants(),
        serving=serving(),
        reserve_vram_bytes=needs.machine.reserve_vram_bytes,
        allow_cpu=needs.machine.allow_cpu,
    )


def vllm_replica(gpu_name: str = "H100", shape: Shape = LLAMA_3_8B, tensor: int = 1, slots: int = 256) -> Replica:
    found, facts = gpu(gpu_name), serving().vllm
    group = vllm.Group(found, tensor, link_bytes_per_s=450e9)
    costs = vllm.step_costs(shape, "BF16", group, facts.by_backend[found.backend], depth_tokens=640)
    assert costs is not None
    limits = replace(vllm.limits(shape, "BF16", group, facts), slots=slots)
    return Replica("vllm", gpu_name, "BF16", tensor, 1, 8192, costs, limits, "engine", 0, 0, 0.0)


def toy_costs(
    *,
    decode_fixed_s: float = 0.0,
    prefill_fixed_s: float = 0.0,
    token_s: float = 0.0,
    prefill_token_s: float = 0.0,
    kv_token_s: float = 0.0,
) -> StepCosts:
    """A step without weights to read."""
    unit = Unit(
        decode_fixed_s=decode_fixed_s,
        prefill_fixed_s=prefill_fixed_s,
        dense_s=0.0,
        experts_s=0.0,
        prefill_dense_s=0.0,
        prefill_experts_s=0.0,
        token_s=token_s,
        prefill_token_s=prefill_token_s,
        attention_s=0.0,
        kv_token_s=kv_token_s,
    )
    return StepCosts((unit,))
