"""Firmness, Pareto front and changes of requirements, as a person and as a program meet them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from advisor.domain.scoring import CRITERIA
from tests.cli.running import Cli, as_process

SMALL = ("--gpu", "none", "--ram", "24GiB")


def test_the_document_says_how_firm_the_first_place_is(cli: Cli) -> None:
    document = cli("recommend", "--json", *SMALL).document
    found, pick = document["sensitivity"], document["recommendation"]
    assert found["robust"] == (found["stability"] >= 0.95)
    assert found["same_quantization"] <= found["stability"]
    assert found["stability"] + sum(r["share"] for r in found["rivals"]) == pytest.approx(1)
    assert [row["criterion"] for row in found["weights"]] == list(CRITERIA)
    assert found["constraints"] is None
    assert pick["model"] not in {r["model"] for r in found["rivals"]}


def test_a_change_of_a_weight_in_the_document_changes_the_pick_when_it_is_set(cli: Cli) -> None:
    weights = cli("recommend", "--json", *SMALL).document["sensitivity"]["weights"]
    row = next(row for row in weights if row["upper"])
    setting = f"preferences.weights.{row['criterion']}={row['upper']['weight']}"
    pick = cli("recommend", "--json", *SMALL, "--set", setting).document["recommendation"]
    assert (pick["model"], pick["quantization"]) == (row["upper"]["model"], row["upper"]["quantization"])


def test_the_front_holds_the_marked_candidates_with_their_figures(cli: Cli) -> None:
    document = cli("recommend", "--json", *SMALL).document
    front = {(row["model"], row["quantization"]): row for row in document["pareto"]}
    for candidate in (document["recommendation"], *document["alternatives"]):
        assert candidate["pareto"] == ((candidate["model"], candidate["quantization"]) in front)
    for row in front.values():
        assert not any(
            other is not row
            and other["quality_low"] > row["quality_low"]
            and other["decode_tokens_per_s"] > row["decode_tokens_per_s"]
            and other["total_bytes"] < row["total_bytes"]
            for other in front.values()
        )


def test_changes_of_requirements_come_when_they_are_asked_for(cli: Cli) -> None:
    asked = cli("recommend", "--json", *SMALL, "--sensitivity")
    changes = asked.document["sensitivity"]["constraints"]
    assert {change["key"] for change in changes} >= {"latency.tokens_per_s", "task.context_tokens"}
    assert "Trying other requirements" in asked.err
    text = cli("recommend", *SMALL, "--sensitivity").out
    assert "Where the pick changes if one requirement changes" in text
    assert all(f"{change['key']} " in text for change in changes)


def test_plain_text_has_a_second_table_after_an_empty_line(cli: Cli) -> None:
    ranking, table = cli("recommend", *SMALL, "--plain", "--sensitivity").out.split("\n\n")
    assert ranking.startswith("#\tmodel\t")
    rows = [line.split("\t") for line in table.splitlines()]
    assert rows[0] == ["about", "finding"]
    assert {len(row) for row in rows} == {2}


def test_the_text_says_in_short_whether_the_pick_is_robust(cli: Cli) -> None:
    lines = cli("recommend", *SMALL).out.splitlines()
    place = lines.index("How firm the first place is")
    assert lines[place + 1].strip().startswith(("robust: stays first in", "a close call: stays first in"))


def test_changes_that_were_examined_are_exported_and_the_file_still_verifies(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rec.toml"
    assert cli("recommend", *SMALL, "--sensitivity", "-o", path).code == 0
    table = tomli.loads(path.read_text("utf-8"))["sensitivity"]
    assert table["constraints"]
    assert len(table["weights"]) == len(CRITERIA)
    found = cli("verify", path, "--recorded-machine", "--json")
    assert (found.code, found.document["status"]) == (0, "holds")


def test_the_same_inputs_give_the_same_bytes_in_two_processes() -> None:
    first, second = (as_process("recommend", "--json", "--sensitivity", *SMALL, "--model", "voxtral-mini-3b-2507")
                     for _ in range(2))  # fmt: skip
    assert first.code == 0
    assert first.document["sensitivity"] == second.document["sensitivity"]
    assert first.document["pareto"] == second.document["pareto"]


def test_where_nothing_passes_nothing_is_firm(cli: Cli) -> None:
    found = cli("recommend", "--json", "--sensitivity", *SMALL, "--set", "latency.tokens_per_s=100000")
    assert found.code == 3
    assert found.document["sensitivity"] is None
    assert found.document["pareto"] == []
