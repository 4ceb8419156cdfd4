from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.catalog.hardware import load_gpus
from advisor.catalog.loader import load_catalogue
from advisor.catalog.sealed import KnowledgeReader
from advisor.catalog.speed import load_speed
from advisor.domain.hardware import CpuFamily
from advisor.domain.quantization import Quantization
from advisor.domain.weights import weights
from advisor.errors import InputError
from tests.builders import LLAMA_3_8B
from tests.catalog.example import KNOWLEDGE


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(KNOWLEDGE / "speed.toml", tmp_path / "speed.toml"))


def offered() -> list[Quantization]:
    return [q for q in load_catalogue(KNOWLEDGE).quantizations.values() if q.offered]


def test_every_back_end_of_the_hardware_tables_has_constants() -> None:
    assert {gpu.backend for gpu in load_gpus(KNOWLEDGE)} <= set(load_speed(KNOWLEDGE).gpu)


def test_no_card_reads_faster_than_its_peak() -> None:
    constants = load_speed(KNOWLEDGE)
    assert all(own.read >= 1 and own.kv_read >= 1 for own in constants.gpu.values())
    assert all(0 < own.read_share < 1 for own in constants.cpu.values())


@pytest.mark.parametrize("family", ["x86", "arm", "unknown"])
def test_every_type_that_an_offered_file_has_is_timed_on_processors(family: CpuFamily) -> None:
    constants = load_speed(KNOWLEDGE).cpu[family]
    for quantization in offered():
        types = {t.name for group in weights(LLAMA_3_8B, quantization.name).groups for t in group.types}
        assert types <= set(constants.core_read_bytes_per_s), quantization.name
        assert types <= set(constants.core_flops), quantization.name


def test_a_processor_of_an_unknown_family_is_no_faster_than_either() -> None:
    cpu = load_speed(KNOWLEDGE).cpu
    for known in (cpu["x86"], cpu["arm"]):
        assert cpu["unknown"].read_share <= known.read_share
        assert cpu["unknown"].unknown_bandwidth_bytes_per_s <= known.unknown_bandwidth_bytes_per_s
        assert all(rate <= known.core_read_bytes_per_s[t] for t, rate in cpu["unknown"].core_read_bytes_per_s.items())
        assert all(rate <= known.core_flops[name] for name, rate in cpu["unknown"].core_flops.items())


def test_what_was_not_sealed_is_validated(copy: Path) -> None:
    assert load_speed(copy.parent) == load_speed(KNOWLEDGE)
    copy.write_text(copy.read_text().replace("pipelining = 0.8", "pipelining = 8.0"))
    with pytest.raises(InputError, match="pipelining"):
        load_speed(copy.parent)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("Q4_K = ", "Q4_X = ", "Q4_K"),
        ("[gpu.vulkan]", "[gpu.opencl]", "opencl"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
    ],
)
def test_a_broken_file_is_told_where(copy: Path, old: str, new: str, complaint: str) -> None:
    copy.write_text(copy.read_text().replace(old, new))
    with pytest.raises(InputError, match=complaint):
        load_speed(copy.parent, KnowledgeReader(copy.parent))
