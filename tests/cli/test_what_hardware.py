"""`recommend --what-hardware` and `recommend --exclusions`, as a person and as a program meet them."""

from __future__ import annotations

import shlex

from tests.cli.running import Cli

HERE = ("--gpu", "none", "--ram", "16GiB")


def test_the_flags_of_a_row_admit_the_model(cli: Cli) -> None:
    found = cli("recommend", *HERE, "--what-hardware", "--model", "mixtral-8x7b-instruct-v0.1", "--plain")
    assert found.code == 0
    header, *rows = [line.split("\t") for line in found.out.splitlines()]
    assert header == ["model", "hardware", "quant", "memory", "speed", "flags"]
    for row in (rows[0], rows[1], rows[-1]):
        flags = shlex.split(row[-1])
        base = () if "--ram" in flags else ("--ram", "16GiB")
        gpu = () if "--gpu" in flags else ("--gpu", "none")
        document = cli("recommend", *base, *gpu, *flags, "--model", row[0], "--json").document
        assert row[0] not in {rejection["model"] for rejection in document["rejected"]}


def test_the_document_is_the_same_each_time_and_names_whole_bytes(cli: Cli) -> None:
    arguments = ("recommend", *HERE, "--what-hardware", "--model", "llama-3.3-70b-instruct", "--json")
    first, second = cli(*arguments), cli(*arguments)
    assert first.out == second.out
    (found,) = first.document["hardware"]
    assert found["possible_here"] is False
    assert found["options"]
    assert all(isinstance(option["total_bytes"], int) for option in found["options"])


def test_a_model_that_no_hardware_admits_ends_with_the_code_for_nothing(cli: Cli) -> None:
    found = cli("recommend", *HERE, "--what-hardware", "--model", "codestral-22b-v0.1", "--json")
    assert found.code == 3
    (wish,) = found.document["hardware"]
    assert [reason["code"] for reason in wish["obstacles"]][:1] == ["licence"]
    told = cli("recommend", *HERE, "--what-hardware", "--model", "codestral-22b-v0.1")
    assert (told.code, told.out) == (3, "")
    assert "no hardware removes this" in told.err


def test_without_a_model_it_says_what_to_add(cli: Cli) -> None:
    found = cli("recommend", *HERE, "--what-hardware")
    assert (found.code, found.out) == (2, "")
    assert "--model" in found.err
    assert len(found.err.splitlines()) == 1


def test_exclusions_name_answers_and_models_that_relaxing_admits(cli: Cli) -> None:
    needs = ("--set", 'languages.required=["fr"]')
    document = cli("recommend", *HERE, *needs, "--exclusions", "--json").document
    counted = {row["key"]: row for row in document["exclusions"]}
    admitted = set(counted["languages.required"]["alone"])
    assert admitted
    after = cli("recommend", *HERE, "--set", "languages.required=[]", "--json").document
    assert not admitted & {rejection["model"] for rejection in after["rejected"]}
    before = cli("recommend", *HERE, *needs, "--json").document
    assert admitted <= {rejection["model"] for rejection in before["rejected"]}
    plain = cli("recommend", *HERE, *needs, "--exclusions", "--plain").out.split("\n\n")[1].splitlines()
    assert [line.split("\t")[0] for line in plain[1:]] == list(counted)
