"""Measured speeds, remembered for the machine, engine, model and placement that they hold for."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from advisor import paths
from advisor.domain.basis import Basis
from advisor.domain.hardware import Machine
from advisor.domain.speed import Speed
from advisor.domain.speed_report import Subject
from advisor.engine.codec import from_json
from advisor.errors import InputError
from advisor.files import read_bounded, write_atomically
from advisor.units import MIB

_VERSION = 3
"""Of the way of measuring: a change makes what was remembered void."""


def recall(subject: Subject, machine: Machine) -> Speed | None:
    """The speed measured before, which says when that was, or None. A file that cannot be read counts as none."""
    try:
        raw = json.loads(read_bounded(_path(subject, machine), MIB))
        timed_on = date.fromisoformat(raw.pop("timed_on"))
        assumed = (*raw["assumed"], f"timed on {timed_on}, not anew")
        found = from_json(Speed, {**raw, "basis": Basis(raw["basis"]), "assumed": assumed})
        rates = (found.decode_tokens_per_s, found.prefill_tokens_per_s, found.ttft_ms, found.low, found.high)
        return found if all(map(math.isfinite, rates)) else None
    except (InputError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None


def remember(subject: Subject, machine: Machine, speed: Speed) -> None:
    """Keep a measured speed. A cache that cannot be written is no reason to fail: the next run measures again."""
    document: dict[str, Any] = {field.name: getattr(speed, field.name) for field in fields(speed)}
    document["timed_on"] = datetime.now(UTC).date().isoformat()
    try:
        write_atomically(_path(subject, machine), json.dumps(document), overwrite=True)
    except InputError:
        return


def fingerprint(machine: Machine) -> tuple[object, ...]:
    """What of a machine decides its speed: processor, cores, memory size, GPUs with their driver, engine."""
    return (
        machine.platform,
        machine.cpu.name.value,
        machine.cpu.physical_cores.value,
        machine.cpu.usable_cores.value,
        machine.cpu.instruction_sets.value,
        machine.memory.capacity_bytes,
        tuple((gpu.name.value, gpu.total_bytes.value, gpu.driver.value) for gpu in machine.gpus),
        machine.engine.version.value,
        machine.engine.system_info.value,
    )


def _path(subject: Subject, machine: Machine) -> Path:
    parts = (
        _VERSION,
        fingerprint(machine),
        subject.shape,
        subject.quantization,
        sorted(asdict(subject.fit.placement).items()),
        subject.prompt_tokens,
        subject.depth_tokens,
    )
    return paths.cache_dir() / "speed" / f"{sha256(repr(parts).encode()).hexdigest()}.json"
