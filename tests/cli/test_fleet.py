"""`plan --fleet` and `recommend --machine` on a fleet file as a user meets them, without any cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli

FLEET = """\
schema_version = 1
[[node]]
name = "box"
[node.cpu]
name = "AMD EPYC 9654"
cores = 32
[node.memory]
total = "64GiB"
[[node.gpu]]
name = "L40S"
count = 2

[[node]]
name = "mute"
[node.cpu]
cores = 4

[[failure]]
name = "gone"
reason = "it died"
"""
MANY = ("--set", "scale.users=200", "--set", "latency.ttft_ms=3000")
MODEL = ("--model", "llama-3.1-8b-instruct")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET, "utf-8")
    return path


def test_a_placement_names_each_machine_and_why_others_take_nothing(cli: Cli, fleet: Path) -> None:
    found = cli("plan", "--fleet", fleet, *MODEL, *MANY, "--json")
    assert found.code == 0
    document = found.document
    assert (document["schema_version"], document["is_enough"], document["picked_on"]) == (1, True, None)
    plan = next(plan for plan in document["plans"] if plan["engine"] == "llama.cpp")
    (share,) = plan["placements"]
    assert (share["machine"], share["replicas"], share["replicas_fit"], share["gpus_per_replica"]) == ("box", 2, 2, 1)
    assert share["ttft_ms"]["p50"] <= share["ttft_ms"]["p95"] <= 3000
    mute = [refusal for refusal in document["refused"] if refusal["machine"] == "mute"]
    assert "its memory is unknown: fleet.toml does not say" in {refusal["text"] for refusal in mute}
    assert document["failures"] == [{"name": "gone", "reason": "it died", "hint": None}]
    assert "not probed: gone: it died" in found.err


def test_the_same_fleet_gives_the_same_bytes_and_machine_takes_it_too(cli: Cli, fleet: Path) -> None:
    first = cli("plan", "--fleet", fleet, *MODEL, *MANY, "--json").out
    assert cli("plan", "--machine", fleet, *MODEL, *MANY, "--json").out == first


def test_the_table_for_people_says_whether_it_is_enough(cli: Cli, fleet: Path) -> None:
    found = cli("plan", "--fleet", fleet, *MODEL, *MANY)
    assert found.code == 0
    assert "carries the peak of 0.833 requests/s" in found.out
    assert "Not placed" in found.out
    assert "Not probed" in found.out


def test_a_load_beyond_the_fleet_is_shown_with_what_is_carried_and_exits_with_3(cli: Cli, fleet: Path) -> None:
    found = cli("plan", "--fleet", fleet, *MODEL, "--set", "scale.users=200000", "--json")
    assert found.code == 3
    plan = found.document["plans"][0]
    assert plan["carried_requests_per_s"] < found.document["load"]["peak_requests_per_s"]
    assert "is not enough" in found.err


def test_a_fleet_of_one_replica_is_told_how_to_plan_without_a_spare_one(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET.replace("count = 2", "count = 1"), "utf-8")
    found = cli("plan", "--fleet", path, *MODEL)
    assert found.code == 3
    assert "holds one replica, which carries the peak of 0.00417 requests/s by itself" in found.err
    assert "the fleet holds no spare replica of llama-3.1-8b-instruct" in found.err
    assert "To plan without a spare one, plan for one machine: --machine FILE." in found.err
    assert "latency" not in found.err
    single = tmp_path / "machine.toml"
    single.write_text('[cpu]\ncores = 32\n[memory]\ntotal = "64GiB"\n[[gpu]]\nname = "L40S"\n', "utf-8")
    assert cli("plan", "--machine", single, *MODEL).code == 0


def test_a_model_for_the_fleet_is_the_first_in_rank_that_it_carries(cli: Cli, fleet: Path) -> None:
    found = cli("recommend", "--machine", fleet, *MANY, "--json")
    assert found.code == 0
    placed = found.document["fleet"]
    assert (placed["picked_on"], placed["is_enough"]) == ("box", True)
    ranked = [found.document["recommendation"]["model"], *(a["model"] for a in found.document["alternatives"])]
    assert placed["model"]["id"] in ranked


def test_a_fleet_without_memory_figures_is_refused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text('[[node]]\nname = "a"\n[[node]]\nname = "b"\n', "utf-8")
    for command in (("plan", "--fleet", path), ("recommend", "--machine", path)):
        found = cli(*command)
        assert found.code == 3
        assert "no machine of the fleet has memory figures: a: fleet.toml does not say" in found.err


def test_a_fleet_file_that_cannot_be_used_is_one_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    for text, part in (('[memory]\ntotal = "8GiB"\n', "no [[node]]"), ("node = 3\n", "node"), ("[[node", "not valid")):
        path.write_text(text, "utf-8")
        found = cli("plan", "--fleet", path)
        assert (found.code, found.out) == (2, "")
        assert part in found.err
        assert len(found.err.splitlines()) == 1
