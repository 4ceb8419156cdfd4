"""Hand-made values for tests: machines, models and constraints with every field explicit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from advisor.catalog.questions import load_questionnaire
from advisor.domain.answers import constraints_from
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Cpu, CpuSpec, Engine, Gpu, GpuSpec, Machine, Memory, Reading
from advisor.domain.model import Ecosystem, Languages, Model, Shape
from advisor.domain.pools import Figures
from advisor.domain.questions import Questionnaire
from advisor.paths import knowledge_dir
from advisor.units import GIB

MADE = "made for a test"

MISTRAL_7B = Shape("llama", 32, 4096, 32, 8, 128, 14336, 32768, tied_embeddings=False)
"""Mistral 7B v0.3."""
LLAMA_3_8B = Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, tied_embeddings=False)
LLAMA_32_1B = Shape("llama", 16, 2048, 32, 8, 64, 8192, 128256, tied_embeddings=True, rope_factors=True)
LLAMA_70B = Shape("llama", 80, 8192, 64, 8, 128, 28672, 128256, tied_embeddings=False)


@cache
def questionnaire() -> Questionnaire:
    return load_questionnaire(knowledge_dir())


def constraints(**answers: Any) -> Constraints:
    """Defaults with answers over them; `task__kind` stands for `task.kind`."""
    given = {key.replace("__", "."): value for key, value in answers.items()}
    return constraints_from({**questionnaire().defaults(), **given})


def reading(value: Any) -> Reading[Any]:
    return Reading(value, MADE, None if value is not None else "not given")


def machine(
    ram: int | None = 24 * GIB, *gpus: Gpu, available: int | None = None, gpu_offload: bool = True, cores: int = 8
) -> Machine:
    return Machine(
        simulated=False,
        platform="linux-x86_64",
        cpu=Cpu(reading("Test CPU"), reading(cores), reading(2 * cores), reading(float(cores)), reading(("avx2",))),
        memory=Memory(reading(ram), reading(available if available is not None else ram), reading(None)),
        gpus=gpus,
        gpu_query=reading(len(gpus)),
        engine=Engine(reading("0.3.36"), reading(gpu_offload), reading(()), reading("AVX2 = 1")),
        disk_free_bytes=reading(100 * GIB),
    )


def gpu(total: int, *, index: int = 0, name: str = "Test GPU", free: int | None = None, unified: bool = False) -> Gpu:
    return Gpu(
        index=index,
        name=reading(name),
        total_bytes=reading(total),
        free_bytes=reading(free if free is not None else total),
        driver=reading("580.1"),
        mig=reading(False),
        unified_memory=unified,
    )


RTX_4090 = GpuSpec("RTX 4090", (), "NVIDIA", "cuda", 24 * GIB, 1008e9, 165e12, 660e12, False, MADE)
TEST_CPU = CpuSpec("Test CPU", (), 8, 80e9, MADE)


def figures(found: Machine, spec: GpuSpec | None = RTX_4090) -> Figures:
    return Figures(cpu=TEST_CPU, gpus=(spec,) * len(found.gpus))


def model(model_id: str = "test-7b", shape: Shape | None = MISTRAL_7B, **fields: Any) -> Model:
    base = Model(
        id=model_id,
        name=model_id.title(),
        family="mistral",
        line="test",
        vendor="Test",
        hf_id=f"test/{model_id}",
        release_date="2024-05-22",
        total_params=7_248_023_552,
        text_params=7_248_023_552,
        active_params=7_248_023_552,
        vision_params=None,
        shape=shape,
        shape_reason=None if shape else "no architecture",
        max_context_tokens=32768,
        rope_theta=1e6,
        licence="apache-2.0",
        languages=Languages(("en", "fr"), None),
        modalities=("text",),
        gated=False,
        status="current",
        superseded_by=None,
        benchmarks=(),
        ecosystem=Ecosystem(("a/b",)),
        notes=(),
        related_only=None,
        provenance={},
    )
    return replace(base, **fields)
