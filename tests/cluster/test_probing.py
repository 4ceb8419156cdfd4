"""A fleet probed over a real Ray cluster, placed on, and what a user is told where that fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from advisor.cluster import probing
from advisor.domain.wording import fleet_rows
from advisor.errors import NetworkError
from advisor.service import Advisor
from advisor.units import GIB
from benchmarks.local_ray import LocalCluster
from tests.cli.running import Cli, as_process

pytestmark = pytest.mark.cluster

USERS = ("--set", "scale.users=3", "--set", "task.context_tokens=2048", "--set", "latency.ttft_ms=30000")


@pytest.fixture(scope="module")
def fleet_file(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `probe --ray ADDRESS -o FILE` writes."""
    path = tmp_path_factory.mktemp("fleet") / "fleet.toml"
    found = as_process("probe", "--ray", cluster.address, "-o", path)
    assert (found.code, found.out) == (0, "")
    return path


def test_every_node_is_probed_by_itself_and_the_one_that_cannot_be_is_named(cli: Cli, cluster: LocalCluster) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    found = cli("probe", "--ray", cluster.address, "--json")
    assert found.code == 0
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert after - before - set(cluster.processes()) == set(), "asking leaves no process behind"
    nodes = {node["name"]: node["machine"] for node in found.document["nodes"]}
    assert {name: machine["memory"]["total_bytes"]["value"] for name, machine in nodes.items()} == {
        "left": 8 * GIB,
        "right": 64 * GIB,
    }
    (failure,) = found.document["failures"]
    assert failure["name"] == "without"
    assert failure["reason"] == "llm-advisor is not installed on it"
    assert "not probed: without: llm-advisor is not installed on it" in found.err


def test_the_snapshot_is_a_file_and_a_table_with_a_row_for_each_node(fleet_file: Path) -> None:
    fleet = Advisor().fleet_of_file(fleet_file)
    assert [row[0] for row in fleet_rows(fleet)] == ["left", "right"]
    assert fleet_rows(fleet)[1][2] == "AMD EPYC 9654"
    assert [failure.name for failure in fleet.failures] == ["without"]


def test_replicas_are_placed_on_the_nodes_of_the_cluster(cli: Cli, cluster: LocalCluster) -> None:
    found = cli("plan", "--ray", cluster.address, "--model", "llama-3.2-1b-instruct", *USERS, "--json")
    document = found.document
    (plan,) = document["plans"]
    placed = {share["machine"]: share for share in plan["placements"]}
    assert document["nodes"] == ["left", "right"]
    assert [failure["name"] for failure in document["failures"]] == ["without"]
    # More cores and bandwidth: the larger node carries more, so it comes first.
    assert plan["placements"][0]["machine"] == "right"
    assert placed["right"]["replica_requests_per_s"] > placed["left"]["replica_requests_per_s"]
    assert placed["right"]["threads"] == 32
    assert {share["replicas_fit"] for share in placed.values()} == {1}


def test_a_model_that_only_one_node_holds_is_placed_there_alone(cli: Cli, fleet_file: Path) -> None:
    found = cli("plan", "--fleet", fleet_file, "--model", "mistral-small-3.2-24b-instruct", *USERS, "--json")
    assert found.code == 3
    assert [share["machine"] for plan in found.document["plans"] for share in plan["placements"]] == ["right"]
    assert any(r["machine"] == "left" and "do not fit" in r["text"] for r in found.document["refused"])
    assert "nothing is left when it is lost" in found.err


def test_recommend_takes_the_fleet_and_says_where_the_pick_runs(cli: Cli, fleet_file: Path) -> None:
    found = cli("recommend", "--machine", fleet_file, *USERS, "--json")
    fleet = found.document["fleet"]
    assert found.document["machine"]["memory"]["total_bytes"]["value"] in (8 * GIB, 64 * GIB)
    assert fleet["picked_on"] in ("left", "right")
    assert fleet["is_enough"] is (found.code == 0)
    machines = {share["machine"] for plan in fleet["plans"] for share in plan["placements"]}
    assert machines <= {"left", "right"}
    assert fleet["picked_on"] in machines


def test_a_node_that_dies_while_it_is_asked_is_named(cluster: LocalCluster, slow: Path) -> None:
    """Last of the tests that need the node."""
    slow.touch()
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(Advisor().probe_cluster(cluster.address)))
    asking.start()
    try:
        _kill_node(_raylet_of(_probe_on(cluster, "shadow")))
    finally:
        asking.join(120)
        slow.unlink()
    (fleet,) = found
    assert [node.name for node in fleet.nodes] == ["left", "right"]
    (failure,) = fleet.failures
    assert failure.name == "without"
    assert "died" in failure.reason or "dead" in failure.reason


def _probe_on(cluster: LocalCluster, path: str) -> psutil.Process:
    """The probe that runs with this part in its path of modules."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for process in cluster.processes().values():
            try:
                is_probe = process.cmdline()[-3:] == ["advisor", "probe", "--json"]
                if is_probe and path in process.environ().get("PYTHONPATH", ""):
                    return process
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        time.sleep(0.1)
    raise AssertionError("the node was not asked")


def _raylet_of(process: psutil.Process) -> psutil.Process:
    return next(parent for parent in process.parents() if parent.name() == "raylet")


def _kill_node(raylet: psutil.Process) -> None:
    """A machine that goes takes everything with it: a worker alone would still send its answer."""
    for process in (raylet, *raylet.children(recursive=True)):
        os.kill(process.pid, signal.SIGKILL)


def test_an_address_where_nobody_listens_is_a_network_failure(cli: Cli) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = cli("probe", "--ray", f"127.0.0.1:{closed.getsockname()[1]}")
    assert found.code == 5
    assert "no Ray cluster answers at 127.0.0.1:" in found.err
    assert "Connection refused" in found.err
    assert len(found.err.splitlines()) == 2


@pytest.fixture
def mute() -> Iterator[str]:
    """Something that listens and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_what_is_no_ray_cluster_is_given_up_on(mute: str) -> None:
    with pytest.raises(NetworkError, match="did not answer as a Ray cluster within 6 s"):
        probing.ask_cluster(mute, connect_s=6)


@pytest.mark.parametrize("address", ["", "nonsense", "host:port", "--help", "a b:1", "http://127.0.0.1:80/x"])
def test_what_is_no_address_is_refused_before_anything_starts(cli: Cli, address: str) -> None:
    found = cli("probe", f"--ray={address}")
    assert found.code == 2
    assert "is no address" in found.err


def test_without_ray_one_line_says_how_to_install_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    found = cli("plan", "--ray", "127.0.0.1:1")
    assert found.code == 2
    assert found.err.splitlines()[-1].endswith("pip install 'llm-advisor[cluster]'")


def test_a_cluster_without_a_live_node_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_run", lambda *_: {"nodes": []})
    with pytest.raises(NetworkError, match="has no live node"):
        Advisor().probe_cluster("127.0.0.1:1")


def test_a_fleet_of_which_no_node_answers_is_a_network_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = subprocess.run([sys.executable, "-I", "-S", "-m", "advisor"], capture_output=True, text=True, check=False)
    probe = {"code": nothing.returncode, "out": nothing.stdout, "err": nothing.stderr}
    node = {"id": "ab" * 28, "name": "n1", "address": "10.0.0.1", "probe": probe}
    monkeypatch.setattr(probing, "_run", lambda *_: {"nodes": [node]})
    with pytest.raises(NetworkError, match="n1: llm-advisor is not installed on it"):
        Advisor().probe_cluster("127.0.0.1:1")


def test_an_answer_in_another_form_is_a_failure_of_that_node(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Advisor().machine_document(Advisor().machine())
    nodes = [
        {
            "id": "a" * 8,
            "name": "same",
            "address": "10.0.0.1",
            "probe": {"code": 0, "out": json.dumps(good), "err": ""},
        },
        {"id": "b" * 8, "name": "same", "address": "10.0.0.2", "probe": {"code": 0, "out": '{"cpu": 1}', "err": ""}},
        {"id": "c" * 8, "name": "c", "address": "10.0.0.3", "probe": {"code": 0, "out": "hello", "err": ""}},
        {"id": "d" * 8, "name": "d", "address": "10.0.0.4", "lost": "NodeDiedError: it died\x1b[2J"},
    ]
    monkeypatch.setattr(probing, "_run", lambda *_: {"nodes": nodes})
    fleet = Advisor().probe_cluster("127.0.0.1:1")
    assert [node.name for node in fleet.nodes] == ["same (aaaaaaaa)"]
    reasons = {failure.name: failure.reason for failure in fleet.failures}
    assert set(reasons) == {"same (bbbbbbbb)", "c", "d"}
    assert reasons["same (bbbbbbbb)"].startswith("its probe answers in another form")
    assert "\x1b" not in reasons["d"]


def test_one_machine_and_a_cluster_cannot_be_asked_for_at_once(cli: Cli, fleet_file: Path) -> None:
    for arguments in (
        ("probe", "--ray", "auto", "--ram", "8GiB"),
        ("plan", "--ray", "auto", "--fleet", fleet_file),
        ("plan", "--fleet", fleet_file, "--gpu", "RTX 4090"),
        ("recommend", "--machine", fleet_file, "--ram", "8GiB"),
        ("size", "llama-3.2-1b-instruct", "--machine", fleet_file),
    ):
        found = cli(*arguments)
        assert (found.code, found.out) == (2, "")
