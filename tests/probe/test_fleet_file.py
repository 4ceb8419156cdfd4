"""Fleet files, written, read and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.fleet import Fleet, FleetNode, NodeFailure
from advisor.domain.hardware import Machine, Memory, Reading
from advisor.errors import InputError
from advisor.probe.fleet_file import fleet_file_text, is_fleet_file, read_fleet_file
from advisor.probe.machine_file import read_machine_file
from advisor.probe.simulate import unknown_machine
from advisor.units import GIB
from tests.probe.building import TEST, gpu

TWO = """
[[node]]
name = "a"
[node.memory]
total = "64GiB"
[[node.gpu]]
name = "L40S"
count = 2

[[node]]
name = "b"
[node.cpu]
cores = 8
"""


def machine(gib: int | None, gpus: int) -> Machine:
    base = unknown_machine("nobody says")
    total: Reading[int] = Reading(None, TEST, "nobody says") if gib is None else Reading(gib * GIB, TEST)
    memory = Memory(total, Reading(None, TEST, "nobody says"), Reading(None, TEST, "no limit"))
    found = tuple(gpu(index) for index in range(gpus))
    return replace(base, memory=memory, gpus=found, gpu_query=Reading(gpus, TEST))


def refusal(directory: Path, text: str) -> InputError:
    path = directory / "fleet.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_fleet_file(path)
    assert "fleet.toml" in caught.value.what
    return caught.value


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.none() | st.integers(1, 4096), st.integers(0, 3)), min_size=1, max_size=4),
    reason=st.text(max_size=60),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int | None, int]], reason: str
) -> None:
    nodes = tuple(FleetNode(f"n{i}", machine(*size)) for i, size in enumerate(sizes))
    fleet = Fleet("Ray cluster at 10.0.0.1:6379", nodes, (NodeFailure("gone", reason, None),))
    path = tmp_path_factory.mktemp("fleet") / "fleet.toml"
    path.write_text(fleet_file_text(fleet), "utf-8")
    found = read_fleet_file(path)
    assert is_fleet_file(path)
    assert found.source == fleet.source
    assert [node.name for node in found.nodes] == [node.name for node in nodes]
    for read, written in zip(found.nodes, nodes, strict=True):
        assert read.machine.simulated
        assert read.machine.memory.total_bytes.value == written.machine.memory.total_bytes.value
        assert len(read.machine.gpus) == len(written.machine.gpus)
    assert [failure.name for failure in found.failures] == ["gone"]


def test_a_fleet_is_no_machine_and_a_machine_no_fleet(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(TWO, "utf-8")
    assert [len(node.machine.gpus) for node in read_fleet_file(path).nodes] == [2, 0]
    with pytest.raises(InputError, match="describes several machines"):
        read_machine_file(path)
    assert "no [[node]]" in str(refusal(tmp_path, '[memory]\ntotal = "64GiB"\n'))


def test_what_a_fleet_file_must_not_say(tmp_path: Path) -> None:
    assert "node[a].memori" in str(refusal(tmp_path, TWO.replace("node.memory", "node.memori")))
    assert "two nodes have the name 'a'" in str(refusal(tmp_path, TWO.replace('"b"', '"a"')))
    assert "name" in str(refusal(tmp_path, TWO.replace('name = "b"', "")))
    assert "node" in str(refusal(tmp_path, "node = []\n"))
