from __future__ import annotations

import pytest

from advisor.catalog.hardware import load_cpus, load_gpus
from advisor.domain.hardware import CpuSpec, GpuSpec
from tests.catalog.example import KNOWLEDGE


@pytest.fixture(scope="package")
def gpus() -> tuple[GpuSpec, ...]:
    return load_gpus(KNOWLEDGE)


@pytest.fixture(scope="package")
def cpus() -> tuple[CpuSpec, ...]:
    return load_cpus(KNOWLEDGE)
