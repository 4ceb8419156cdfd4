"""Machine files, written, read and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.hardware import Cpu, Gpu, Machine, Memory, Reading
from advisor.errors import InputError
from advisor.probe.machine_file import machine_file_text, parse_bandwidth, read_machine_file
from advisor.probe.simulate import unknown_machine
from advisor.probe.snapshot import probe_machine
from advisor.units import GIB
from tests.probe.building import TEST, engine, gpu

FULL = """
[cpu]
name = "AMD EPYC 9654"
cores = 96

[memory]
total = "768GiB"
available = 700_000_000_000
bandwidth = "460.8 GB/s"

[[gpu]]
name = "H100 80GB"
memory = "80GiB"
count = 2
bandwidth = 3.35e12

[[gpu]]
name = "NVIDIA GB10"
unified_memory = true
"""


def write(directory: Path, text: str) -> Path:
    path = directory / "box.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(directory: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read_machine_file(write(directory, text))
    assert "box.toml" in caught.value.what
    return caught.value


def test_every_key_is_read(tmp_path: Path) -> None:
    machine = read_machine_file(write(tmp_path, FULL))
    assert (machine.cpu.name.value, machine.cpu.physical_cores.value) == ("AMD EPYC 9654", 96)
    assert machine.cpu.usable_cores.value == 96.0
    assert machine.memory.total_bytes.value == 768 * GIB
    assert machine.memory.available_bytes.value == 700_000_000_000
    assert machine.memory.bandwidth_bytes_per_s == pytest.approx(460.8e9)
    assert [found.name.value for found in machine.gpus] == ["H100 80GB", "H100 80GB", "NVIDIA GB10"]
    assert [found.index for found in machine.gpus] == [0, 1, 2]
    assert machine.gpus[1].total_bytes.value == 80 * GIB
    assert machine.gpus[1].bandwidth_bytes_per_s == 3.35e12
    assert [found.unified_memory for found in machine.gpus] == [False, False, True]
    assert machine.gpu_query.value == 3


def test_the_machine_is_simulated_and_its_source_is_the_file(tmp_path: Path) -> None:
    machine = read_machine_file(write(tmp_path, FULL))
    assert machine.simulated is True
    assert machine.memory.total_bytes.source == "box.toml"
    assert machine.gpus[0].name.source == "box.toml"


def test_what_the_file_leaves_out_is_unknown_with_a_reason(tmp_path: Path) -> None:
    machine = read_machine_file(write(tmp_path, "[memory]\ntotal = 1024\n"))
    assert machine.cpu.name.value is None
    assert machine.cpu.name.reason == "box.toml does not say"
    assert machine.engine.gpu_offload.value is None


def test_a_file_without_gpu_tables_has_no_gpus(tmp_path: Path) -> None:
    assert read_machine_file(write(tmp_path, "")).gpu_query.value == 0


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("[memroy]\ntotal = 1\n", "memroy", "'memory'"),
        ("[memory]\ntotl = 1\n", "memory.totl", "'total'"),
        ("[cpu]\ncore = 8\n", "cpu.core", "'cores'"),
        ('[[gpu]]\nname = "A"\n[[gpu]]\nname = "B"\nbandwith = 1\n', "gpu[B].bandwith", "'bandwidth'"),
        ("[cpu]\nzzz = 8\n", "cpu.zzz", "name, cores"),
    ],
)
def test_an_unknown_key_is_refused_with_its_place_and_the_nearest(
    tmp_path: Path, text: str, place: str, hint: str
) -> None:
    error = refusal(tmp_path, text)
    assert f": {place}: unknown key" in error.what
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[memory]\ntotal = "much"\n', "memory.total"),
        ("[memory]\ntotal = 0\n", "memory.total"),
        ("[memory]\ntotal = -1\n", "memory.total"),
        ("[memory]\ntotal = true\n", "memory.total"),
        ("[memory]\ntotal = 1.5\n", "memory.total"),
        (f'[memory]\ntotal = "{"9" * 400}GiB"\n', "memory.total"),
        (f"[memory]\nbandwidth = {'9' * 400}\n", "memory.bandwidth"),
        ("[memory]\nbandwidth = inf\n", "memory.bandwidth"),
        ("[memory]\nbandwidth = nan\n", "memory.bandwidth"),
        ('[memory]\nbandwidth = "fast"\n', "memory.bandwidth"),
        ("[memory]\nbandwidth = true\n", "memory.bandwidth"),
        ('[cpu]\ncores = "8"\n', "cpu.cores"),
        ("[cpu]\ncores = 0\n", "cpu.cores"),
        ('[cpu]\nname = ""\n', "cpu.name"),
        ('[[gpu]]\nname = "A"\ncount = 0\n', "gpu[A].count"),
        ('[[gpu]]\nname = "A"\ncount = 1000000000\n', "gpu[A].count"),
        ("[[gpu]]\ncount = 2\n", "gpu[0]"),
        ("gpu = 5\n", "gpu"),
        ("cpu = []\n", "cpu"),
        ("schema_version = 2\n", "schema_version"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    assert f": {place}: " in refusal(tmp_path, text).what


def test_more_errors_are_counted(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[cpu]\na = 1\nb = 2\n").why == "and 1 more in this file"


@pytest.mark.parametrize("content", [b"[cpu", b"\xff\xfe", b"[cpu]\nname = 'a'\nname = 'b'\n"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"box\.toml"):
        read_machine_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_machine_file(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1008 GB/s", 1008e9), ("3.35TB/s", 3.35e12), ("512 mb/s", 512e6)],
)
def test_a_bandwidth_is_decimal(text: str, expected: float) -> None:
    assert parse_bandwidth(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["1008", "1008 Gb", "GB/s", "-1 GB/s", "1 GiB/s", "1e3 GB/s"])
def test_a_bandwidth_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no bandwidth"):
        parse_bandwidth(text)


def stated(machine: Machine) -> dict[str, object]:
    """The values that a machine file carries."""
    return {
        "cpu": (machine.cpu.name.value, machine.cpu.physical_cores.value),
        "memory": (
            machine.memory.capacity_bytes,
            machine.memory.available_bytes.value,
            machine.memory.bandwidth_bytes_per_s,
        ),
        "gpus": [
            (g.index, g.name.value, g.total_bytes.value, g.bandwidth_bytes_per_s, g.unified_memory)
            for g in machine.gpus
        ],
    }


def test_a_file_that_was_read_is_written_with_the_same_values(tmp_path: Path) -> None:
    machine = read_machine_file(write(tmp_path, FULL))
    again = read_machine_file(write(tmp_path, machine_file_text(machine)))
    assert stated(again) == stated(machine)


def test_this_machine_is_written_and_read_back(tmp_path: Path) -> None:
    machine = probe_machine(engine(), disk_path=tmp_path)
    again = read_machine_file(write(tmp_path, machine_file_text(machine)))
    assert again.memory.capacity_bytes == machine.memory.capacity_bytes
    assert again.memory.available_bytes.value == machine.memory.available_bytes.value
    assert again.cpu.name.value == machine.cpu.name.value


def test_equal_gpus_are_written_as_one_table_with_a_count() -> None:
    machine = replace(unknown_machine("none"), gpus=(gpu(0), gpu(1), gpu(2, "other")))
    tables = tomli.loads(machine_file_text(machine))["gpu"]
    assert [(table["name"], table["count"]) for table in tables] == [
        ("NVIDIA GeForce RTX 4090", 2),
        ("other", 1),
    ]


def test_a_cgroup_limit_is_the_total_of_the_file() -> None:
    memory = Memory(Reading(64 * GIB, TEST), Reading(8 * GIB, TEST), Reading(16 * GIB, "cgroup memory.max"))
    text = machine_file_text(replace(unknown_machine("none"), memory=memory))
    assert tomli.loads(text)["memory"] == {"total": "16GiB", "available": "8GiB"}
    assert "cgroup memory.max" in text


def test_a_quota_below_the_physical_cores_gives_the_cores() -> None:
    nothing: Reading[tuple[str, ...]] = Reading(None, TEST, "not asked")
    cpu = Cpu(Reading("A", TEST), Reading(64, TEST), Reading(128, TEST), Reading(2.5, "cgroup cpu.max"), nothing)
    text = machine_file_text(replace(unknown_machine("none"), cpu=cpu))
    assert tomli.loads(text)["cpu"]["cores"] == 2


def test_what_is_unknown_is_a_comment_with_the_reason() -> None:
    text = machine_file_text(unknown_machine("the cat sat on it"))
    assert "# total is unknown: the cat sat on it" in text
    assert tomli.loads(text) == {"schema_version": 1, "cpu": {}, "memory": {}}


def test_an_unusable_gpu_is_left_out_with_the_reason(tmp_path: Path) -> None:
    lost = unknown_gpu(1, "the GPU is lost")
    text = machine_file_text(replace(unknown_machine("none"), gpus=(gpu(0), lost)))
    assert "GPU 1 is left out: the GPU is lost" in text
    assert len(read_machine_file(write(tmp_path, text)).gpus) == 1


def unknown_gpu(index: int, reason: str) -> Gpu:
    text: Reading[str] = Reading(None, TEST, reason)
    size: Reading[int] = Reading(None, TEST, reason)
    return Gpu(index, text, size, size, text, Reading(None, TEST, reason))


def test_foreign_text_in_a_comment_cannot_add_lines() -> None:
    text = machine_file_text(unknown_machine('broken\n[memory]\ntotal = "1TiB"\r\x85\u2028x = 1'))
    assert tomli.loads(text)["memory"] == {}


sizes = st.integers(1, 1 << 60)
rates = st.none() | st.floats(min_value=1e3, max_value=1e18)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
cards_of_a_file = st.tuples(names, sizes, rates, st.booleans())


@settings(deadline=None)
@given(names, st.integers(1, 1 << 16), sizes, rates, st.lists(cards_of_a_file, max_size=4))
def test_any_machine_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    cores: int,
    total: int,
    rate: float | None,
    cards: list[tuple[str, int, float | None, bool]],
) -> None:
    unknown = unknown_machine("none")
    machine = replace(
        unknown,
        cpu=replace(unknown.cpu, name=Reading(name, TEST), physical_cores=Reading(cores, TEST)),
        memory=Memory(Reading(total, TEST), Reading(total // 2, TEST), Reading(None, TEST, "none"), rate),
        gpus=tuple(
            replace(
                gpu(index, card), total_bytes=Reading(size, TEST), bandwidth_bytes_per_s=speed, unified_memory=shared
            )
            for index, (card, size, speed, shared) in enumerate(cards)
        ),
    )
    again = read_machine_file(write(tmp_path_factory.mktemp("m"), machine_file_text(machine)))
    assert stated(again) == stated(machine)
