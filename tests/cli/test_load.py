"""`recommend` under a load that users share, and `plan --sweep`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli

HERE = ("--gpu", "L40S", "--ram", "64GiB")
MANY = ("--set", "scale.users=300")


def test_the_ranking_says_how_many_users_each_model_carries(cli: Cli) -> None:
    plain = cli("recommend", *HERE, *MANY, "--plain", "-n", "40").out.splitlines()
    columns = plain[0].split("\t")
    assert columns[-1] == "carries"
    cells = [line.split("\t")[-1] for line in plain[1:]]
    assert cells[0] == "✓ 300"
    short = [cell.startswith("✗") for cell in cells]
    assert short == sorted(short)
    assert any(short)
    text = cli("recommend", *HERE, *MANY).out
    assert "Users    ✓ carries all 300 users here" in text
    assert "For your users" in text


def test_one_user_gets_no_such_column_and_no_such_key(cli: Cli) -> None:
    assert "carries" not in cli("recommend", *HERE, "--plain").out.splitlines()[0]
    assert "carried" not in cli("recommend", *HERE, "--json").document["recommendation"]


def test_the_document_says_what_was_simulated_and_what_is_a_bound(cli: Cli) -> None:
    document = cli("recommend", *HERE, *MANY, "--json").document
    pick = document["recommendation"]["carried"]
    assert (pick["basis"], pick["is_enough"], pick["users"], pick["machines"]) == ("simulated", True, 300, 1)
    assert document["plan"]["replicas"] == 1
    assert document["plan"]["slots_per_replica"] == pick["slots"] * pick["copies"]
    assert {alternative["carried"]["basis"] for alternative in document["alternatives"]} <= {"simulated", "bound"}


def test_where_one_machine_ends_is_said_and_plan_is_named(cli: Cli) -> None:
    found = cli("recommend", *HERE, "--set", "scale.users=1000000")
    assert found.code == 0
    assert "No model carries 1,000,000 users on this machine: it ends at " in found.err
    assert "llm-advisor plan says which machines it takes" in found.out


def test_a_saved_recommendation_keeps_what_is_carried_and_is_verified(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "rec.toml"
    assert cli("recommend", *HERE, *MANY, "-o", place).code == 0
    assert "carried = {" in place.read_text("utf-8")
    assert cli("verify", place, *HERE).code == 0


def test_a_sweep_prints_points_and_the_plan_behind_each_curve(cli: Cli) -> None:
    line = ("plan", "--sweep", "--model", "ministral-3-8b-instruct", *HERE, *MANY)
    plain = cli(*line, "--plain").out.splitlines()
    assert plain[0].split("\t") == ["model", "weights", "load", "first token", "per request", "targets"]
    assert sum("beyond it they break" in row for row in plain) == 1
    document = cli(*line, "--json").document
    assert document["unit"] == "users"
    assert len(document["curves"]) == 1
    assert len(document["curves"][0]["points"]) == len(plain) - 1
    assert "growth: 1× = " in cli(*line).out


def test_a_sweep_without_a_point_says_which_bound_and_exits_with_3(cli: Cli) -> None:
    found = cli("plan", "--sweep", "--model", "ministral-3-8b-instruct", *HERE, "--set", "latency.ttft_ms=1")
    assert found.code == 3
    assert "serves nobody within the targets: no first token within 1 ms" in found.err


@pytest.mark.parametrize("option", [("--survive", "machine"), ("--engine", "vllm"), ("--trace", "/dev/null")])
def test_a_sweep_takes_no_option_of_a_plan_that_it_does_not_make(cli: Cli, option: tuple[str, str]) -> None:
    found = cli("plan", "--sweep", *HERE, *option)
    assert found.code == 2
    assert f"--sweep takes no {option[0]}" in found.err


def test_a_line_without_end_is_refused_before_it_fills_the_memory(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    path.write_bytes(b"0," * 200_000)
    found = cli("plan", *HERE, "--trace", path)
    assert found.code == 2
    assert f"{path}: line 1 is longer than 10,000 characters" in found.err
