from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.answers import answers_document
from advisor.domain.hardware import EngineDevice, Gpu, Machine, Memory, Reading
from advisor.export.documents import machine_document, recommendation_document
from advisor.export.machine_record import MachineTable, machine_from_record
from advisor.service import MachineChoice
from tests.export.support import (
    MACHINES,
    advise,
    advisor,
    canonical,
    gpu,
    machine,
    recommended,
    recorded_answers,
    replay,
    text_of,
    without_none,
    written,
)

TEXT = st.text(max_size=20)
SIZE = st.integers(0, 2**63 - 1)
CORES = st.integers(0, 2**20) | st.floats(0, 2**20)
RATE = st.none() | st.integers(1, 10**15) | st.floats(1, 1e15)


def readings(values: st.SearchStrategy[object]) -> st.SearchStrategy[Reading[object]]:
    return st.builds(Reading, st.none() | values, TEXT, st.none() | TEXT, st.none() | TEXT)


GPUS = st.builds(
    Gpu,
    index=st.integers(0, 64),
    name=readings(TEXT),
    total_bytes=readings(SIZE),
    free_bytes=readings(SIZE),
    driver=readings(TEXT),
    mig=readings(st.booleans()),
    unified_memory=st.booleans(),
    bandwidth_bytes_per_s=RATE,
)
MEMORIES = st.builds(
    Memory,
    total_bytes=readings(SIZE),
    available_bytes=readings(SIZE),
    limit_bytes=readings(SIZE),
    bandwidth_bytes_per_s=RATE,
)
KINDS = st.sampled_from(["cpu", "gpu", "igpu", "accelerator"])
DEVICES = st.builds(EngineDevice, TEXT, TEXT, KINDS, SIZE, st.none() | SIZE)


@given(MEMORIES, st.lists(GPUS, max_size=3), readings(st.lists(DEVICES, max_size=2).map(tuple)), readings(CORES))
@settings(max_examples=50)
def test_any_machine_is_rebuilt_from_its_record(
    memory: Memory, gpus: list[Gpu], devices: Reading[tuple[EngineDevice, ...]], cores: Reading[float]
) -> None:
    base = machine()
    any_machine = replace(
        base,
        memory=memory,
        gpus=tuple(gpus),
        engine=replace(base.engine, devices=devices),
        cpu=replace(base.cpu, usable_cores=cores),
    )
    record = without_none(machine_document(any_machine))
    rebuilt = machine_from_record(MachineTable.model_validate(record))
    assert rebuilt == any_machine
    assert canonical(machine_document(rebuilt)) == canonical(machine_document(any_machine))


def _cases() -> dict[str, tuple[Machine, list[str], str | None]]:
    fast = replace(gpu(0, "Unlisted Accelerator", 48), bandwidth_bytes_per_s=1_555_000_000_000.0)
    base = machine(fast, ram_gib=96)
    stated = replace(base, memory=replace(base.memory, bandwidth_bytes_per_s=204_800_000_000))
    limited = replace(machine(), memory=replace(machine().memory, limit_bytes=Reading(12 << 30, "cgroup memory.max")))
    return {
        **{name: (m, [], None) for name, m in MACHINES.items()},
        "many users": (MACHINES["two H100"], ["scale.users=5000", "task.context_tokens=16384"], None),
        "open questions": (MACHINES["processor"], ["latency.tokens_per_s=none"], None),
        "one file type": (MACHINES["RTX 4090"], ["use.redistribute=weights"], "Q3_K_M"),
        "stated bandwidth": (stated, ['preferences.families=["llama"]'], None),
        "memory limit": (limited, ["machine.reserve_ram=512MiB"], None),
    }


@pytest.mark.parametrize("case", _cases())
def test_a_replay_from_the_file_alone_gives_the_same_document_byte_for_byte(case: str, tmp_path: Path) -> None:
    on, given_settings, quantization = _cases()[case]
    document = advise(on, given_settings, quantization=quantization)
    file = written(tmp_path / "rec.toml", document)
    recommended.cache_clear()  # derive it anew
    again = recommendation_document(replay(file), answers_document(recorded_answers(file)))
    assert canonical(again) == canonical(document)
    assert text_of(again) == text_of(document)


def test_the_machine_that_runs_this_is_recorded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path / "cache"))
    probed = advisor().machine(MachineChoice())
    record = without_none(machine_document(probed))
    assert machine_from_record(MachineTable.model_validate(record)) == probed


def test_a_simulated_machine_is_recorded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ADVISOR_CACHE_DIR", str(tmp_path / "cache"))
    simulated = advisor().machine(MachineChoice(gpu="RTX 4090x2", ram_bytes=96 << 30))
    file = written(tmp_path / "rec.toml", advise(simulated))
    assert machine_from_record(file.machine) == simulated


def test_an_unknown_reading_keeps_its_reason_and_hint_in_the_file() -> None:
    query = tomllib.loads(text_of(advise(MACHINES["processor"])))["machine"]["gpu_query"]
    assert query == {
        "source": "NVML",
        "reason": "no NVIDIA driver is installed",
        "hint": "Install the driver if there is such a GPU.",
    }
