"""Machines that are described instead of probed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from advisor.domain.hardware import Cpu, Engine, Gpu, GpuSpec, Machine, Memory, Reading
from advisor.errors import InputError
from advisor.probe.readings import unknown

SOURCE = "simulated"
NO_GPU = "none"
UNKNOWN_PLATFORM = "unknown"

_NOT_GIVEN = "a simulated machine does not say"

# The lookbehinds keep rtx3060, gtx980 and rx580, written in one word, from being a count of something.
_WITH_COUNT = re.compile(r"(?P<name>.*\S)\s*(?<!\brt)(?<!\bgt)(?<!\br)[x×](?P<count>[0-9]{1,3})", re.DOTALL)
_COUNT_FIRST = re.compile(r"(?P<count>[0-9]{1,3})\s*[x×]\s*(?P<name>\S.*)", re.DOTALL)


def parse_gpu_argument(text: str) -> tuple[str, int]:
    """Name and count in `RTX 4090`, `H100 80GBx8` or `8x H100 80GB`; count 0 for `none`.

    Only a small `x` beside one to three digits at the end or the beginning is a count, as names hold a large one
    (`MI300X`).
    Raises InputError for an empty name or a count of 0.
    """
    name = text.strip()
    if name.casefold() == NO_GPU:
        return NO_GPU, 0
    match = _COUNT_FIRST.fullmatch(name) or _WITH_COUNT.fullmatch(name)
    count = int(match["count"]) if match else 1
    name = match["name"] if match else name
    if not name or not count:
        hint = 'Write for example "RTX 4090", "H100 80GBx8", or none for the processor only.'
        raise InputError(f"{text!r} names no GPU", hint=hint)
    return name, count


def simulated_machine(
    base: Machine | None, *, gpus: Sequence[tuple[GpuSpec, int]] | None, ram_bytes: int | None
) -> Machine:
    """A machine with other GPUs, other system memory or both; None keeps those of `base`, as far as there is one.

    Without a given size, GPUs with unified memory bring the system memory that they are sold with.
    """
    start = base or unknown_machine(_NOT_GIVEN)
    given = ram_bytes if ram_bytes is not None else _unified_bytes(gpus or ())
    machine = replace(start, simulated=True, findings=())
    if given is not None:
        machine = replace(machine, memory=_memory(given, start.memory if ram_bytes is not None else None))
    if gpus is None:
        return machine
    built = tuple(_gpus(gpus, given))
    count = Reading(len(built), SOURCE)
    return replace(machine, gpus=built, gpu_query=count, engine=_engine_elsewhere(start.engine))


def unknown_machine(reason: str, source: str = SOURCE) -> Machine:
    """A simulated machine of which nothing is known, for the same reason."""
    nothing = unknown(source, reason)
    return Machine(
        simulated=True,
        platform=UNKNOWN_PLATFORM,
        cpu=Cpu(nothing, nothing, nothing, nothing, nothing),
        memory=Memory(nothing, nothing, nothing),
        gpus=(),
        gpu_query=nothing,
        engine=Engine(nothing, nothing, nothing, nothing),
        disk_free_bytes=nothing,
    )


def _memory(total_bytes: int, replaced: Memory | None) -> Memory:
    return Memory(
        total_bytes=Reading(total_bytes, SOURCE),
        available_bytes=unknown(SOURCE, "a simulated machine carries no load"),
        limit_bytes=unknown(SOURCE, "a simulated machine has no cgroup limit"),
        bandwidth_bytes_per_s=replaced.bandwidth_bytes_per_s if replaced else None,
    )


def _unified_bytes(gpus: Iterable[tuple[GpuSpec, int]]) -> int | None:
    return max((spec.memory_bytes for spec, count in gpus if spec.unified_memory and count), default=None)


def _gpus(gpus: Iterable[tuple[GpuSpec, int]], ram_bytes: int | None) -> Iterable[Gpu]:
    specs = [spec for spec, count in gpus for _ in range(count)]
    for index, spec in enumerate(specs):
        total = spec.memory_bytes
        if spec.unified_memory and ram_bytes is not None:
            total = min(total, ram_bytes)
        yield Gpu(
            index,
            name=Reading(spec.name, SOURCE),
            total_bytes=Reading(total, SOURCE),
            free_bytes=unknown(SOURCE, "a simulated GPU carries no load"),
            driver=unknown(SOURCE, "a simulated GPU has no driver"),
            mig=Reading(False, SOURCE),
            unified_memory=spec.unified_memory,
        )


def _engine_elsewhere(engine: Engine) -> Engine:
    """The same llama.cpp version built for that machine: what it can do here says nothing about there."""
    other = unknown(SOURCE, "the engine of a simulated machine cannot be asked")
    return replace(engine, gpu_offload=other, devices=other)
