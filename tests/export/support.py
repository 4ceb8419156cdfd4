"""Hand-made machines, and what the service does with a recommendation file, over the shipped knowledge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from advisor.domain.answers import answers_document, merge_document
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Cpu, Engine, EngineDevice, Finding, Gpu, Machine, Memory, Reading
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.export.documents import recommendation_document
from advisor.export.machine_record import machine_from_record
from advisor.export.recommendation_file import read_recommendation
from advisor.export.recommendation_schema import RecommendationFile
from advisor.export.recommendation_toml import recommendation_toml
from advisor.service import Advisor
from advisor.units import GIB

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
CREATED = "2026-11-23T09:30:00Z"


@cache
def advisor() -> Advisor:
    """One session over the shipped knowledge."""
    return Advisor(KNOWLEDGE)


def gpu(index: int, name: str, gib: int) -> Gpu:
    return Gpu(
        index=index,
        name=Reading(name, "nvmlDeviceGetName"),
        total_bytes=Reading(gib * GIB, "nvmlDeviceGetMemoryInfo"),
        free_bytes=Reading((gib - 1) * GIB, "nvmlDeviceGetMemoryInfo"),
        driver=Reading("580.95.05", "nvmlSystemGetDriverVersion"),
        mig=Reading(None, "nvmlDeviceGetMigMode", "this GPU cannot be split", None),
    )


def machine(*gpus: Gpu, ram_gib: int = 24, cpu: str = "AMD Ryzen 9 7950X 16-Core Processor") -> Machine:
    """A machine whose llama.cpp can use all its GPUs."""
    devices = [EngineDevice("CPU", cpu, "cpu", ram_gib * GIB, ram_gib * GIB)]
    for card in gpus:
        total = card.total_bytes.value or 0
        devices.append(EngineDevice(f"CUDA{card.index}", card.name.value or "", "gpu", total, total - GIB))
    return Machine(
        simulated=False,
        platform="linux-x86_64",
        cpu=Cpu(
            name=Reading(cpu, "/proc/cpuinfo"),
            physical_cores=Reading(16, "psutil"),
            logical_cores=Reading(32, "psutil"),
            usable_cores=Reading(12.5, "cgroup cpu.max"),
            instruction_sets=Reading(("avx", "avx2", "f16c", "fma"), "/proc/cpuinfo"),
        ),
        memory=Memory(
            total_bytes=Reading(ram_gib * GIB, "psutil"),
            available_bytes=Reading((ram_gib - 4) * GIB, "psutil"),
            limit_bytes=Reading(None, "cgroup", "no limit is set"),
        ),
        gpus=gpus,
        gpu_query=Reading(len(gpus), "nvmlDeviceGetCount")
        if gpus
        else Reading(None, "NVML", "no NVIDIA driver is installed", "Install the driver if there is such a GPU."),
        engine=Engine(
            version=Reading("0.3.36", "llama-cpp-python"),
            gpu_offload=Reading(bool(gpus), "llama_supports_gpu_offload"),
            devices=Reading(tuple(devices), "ggml_backend_dev_get"),
            system_info=Reading("CPU : AVX2 = 1 | FMA = 1 |", "llama_print_system_info"),
        ),
        disk_free_bytes=Reading(300 * GIB, "disk usage"),
        findings=(Finding("info", "half of the memory is in use", None), Finding("warning", "slow disk", "Mend it.")),
    )


MACHINES: Mapping[str, Machine] = {
    "processor": machine(),
    "RTX 4090": machine(gpu(0, "NVIDIA GeForce RTX 4090", 24), ram_gib=64),
    "two H100": machine(gpu(0, "NVIDIA H100 80GB HBM3", 80), gpu(1, "NVIDIA H100 80GB HBM3", 80), ram_gib=512),
}


def answers(settings: Iterable[str] = ()) -> dict[str, Answer]:
    return advisor().answers(settings=settings)


def advise(
    on: Machine, settings: Iterable[str] = (), named: Iterable[str] = (), quantization: str | None = None
) -> dict[str, Any]:
    """A recommendation's document, the caller's own copy."""
    return deepcopy(_advise(on, tuple(settings), tuple(named), quantization))


@cache
def recommended(
    on: Machine, constraints: Constraints, named: tuple[str, ...] = (), quantization: str | None = None
) -> Recommendation:
    """The advice, computed once for equal inputs."""
    return advisor().recommend(on, constraints, named=named, quantization=quantization)


@cache
def _advise(on: Machine, settings: tuple[str, ...], named: tuple[str, ...], quantization: str | None) -> dict[str, Any]:
    given = answers(settings)
    found = recommended(on, advisor().constraints(given), named, quantization)
    return recommendation_document(found, answers_document(given))


def text_of(document: Mapping[str, Any], *, created: str = CREATED, smoke: Mapping[str, Any] | None = None) -> str:
    return recommendation_toml(
        document,
        tool_version="0.1.0",
        engine_version="0.3.36",
        created=created,
        smoke=smoke,
        questionnaire=advisor().questionnaire,
    )


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def written(path: Path, document: Mapping[str, Any]) -> RecommendationFile:
    """The document written to a file and read back."""
    return read_recommendation(write(path, text_of(document)))


def recorded_answers(file: RecommendationFile) -> dict[str, Answer]:
    return merge_document(advisor().questionnaire, advisor().questionnaire.defaults(), file.constraints, name="file")


def replay(file: RecommendationFile, on: Machine | None = None) -> Recommendation:
    """The advice that a file's inputs give on a machine, by default on the recorded one."""
    return recommended(
        on or machine_from_record(file.machine),
        advisor().constraints(recorded_answers(file)),
        tuple(file.request.models),
        file.request.quantization,
    )


def alone(file: RecommendationFile, on: Machine | None = None) -> Recommendation:
    """The advice with only the recorded file type considered and the recorded model named."""
    return recommended(
        on or machine_from_record(file.machine),
        advisor().constraints(recorded_answers(file)),
        (file.recommendation.model,),
        file.recommendation.quantization,
    )


def canonical(document: Mapping[str, Any]) -> str:
    """A document as text, so that 2 and 2.0 differ."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def without_none(value: Any) -> Any:
    """A document as TOML can hold it: what is None is left out."""
    if isinstance(value, Mapping):
        return {key: without_none(part) for key, part in value.items() if part is not None}
    return [without_none(part) for part in value] if isinstance(value, list) else value
