"""`--preset` and the places that answers come from, each over the one before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli

SMALL = ("--gpu", "none", "--ram", "24GiB", "--json")


def context_of(cli: Cli, *arguments: object) -> int:
    found = cli("recommend", *SMALL, *arguments).document["constraints"]["task"]["context_tokens"]
    assert isinstance(found, int)
    return found


def test_a_preset_lies_under_the_file_the_file_under_set_and_set_under_a_flag(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "needs.toml"
    file.write_text("schema_version = 1\n[task]\ncontext_tokens = 12288\n", "utf-8")
    flags = ["--task-context-tokens", 6144]
    settings = ["--set", "task.context_tokens=10240"]
    assert context_of(cli) == 8192
    assert context_of(cli, "--preset", "coding") == 16384
    assert context_of(cli, "--preset", "coding", "--constraints", file) == 12288
    assert context_of(cli, "--preset", "coding", "--constraints", file, *settings) == 10240
    assert context_of(cli, *flags, *settings, "--constraints", file, "--preset", "coding") == 6144


def test_what_a_file_leaves_open_comes_from_the_preset(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "needs.toml"
    file.write_text("schema_version = 1\n[task]\ncontext_tokens = 12288\n", "utf-8")
    found = cli("recommend", *SMALL, "--preset", "coding", "--constraints", file).document["constraints"]
    assert (found["task"]["kind"], found["task"]["context_tokens"]) == ("coding", 12288)


def test_every_preset_is_listed_and_can_be_used_as_listed(cli: Cli) -> None:
    listed = cli("presets", "--json").document["presets"]
    for preset in listed:
        document = cli("recommend", *SMALL, "--preset", preset["id"]).document
        for section, answers in preset["answers"].items():
            assert {**document["constraints"][section], **answers} == document["constraints"][section]
    rows = [line.split("\t") for line in cli("presets", "--plain").out.splitlines()]
    assert [row[0] for row in rows[1:]] == [preset["id"] for preset in listed]
    assert {len(row) for row in rows} == {4}


@pytest.mark.parametrize("command", ["recommend", "compare", "licence", "speed", "smoke"])
def test_the_help_of_commands_that_take_needs_names_the_presets(cli: Cli, command: str) -> None:
    text = " ".join(cli(command, "--help").out.split())
    assert "--preset ID" in text
    assert "french-chatbot" in text


def test_an_unknown_preset_is_refused_with_the_nearest(cli: Cli) -> None:
    found = cli("recommend", "--preset", "codin")
    assert (found.code, found.out) == (2, "")
    assert "Did you mean 'coding'?" in found.err
    assert len(found.err.splitlines()) == 1


def test_a_preset_stands_in_the_exported_answers_so_that_the_file_still_verifies(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rec.toml"
    assert cli("recommend", "--gpu", "none", "--ram", "24GiB", "--preset", "research", "-o", path).code == 0
    found = cli("verify", path, "--recorded-machine", "--json")
    assert (found.code, found.document["status"]) == (0, "holds")
