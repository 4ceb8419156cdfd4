"""What is excluded, what would admit it, and admitting it: from the command line."""

from __future__ import annotations

from typing import Any

from tests.cli.running import Cli

FAST = ("--set", "latency.tokens_per_s=20", "--set", "latency.ttft_ms=none", "--gpu", "none", "--ram", "24GiB")


def rows_of(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def advice_of(document: dict[str, Any]) -> dict[str, Any]:
    """All but the snapshot of the machine, whose free disk changes by the second."""
    return {key: value for key, value in document.items() if key != "machine"}


def test_excluded_lists_every_reason_with_requirement_and_fix(cli: Cli) -> None:
    head, *rows = rows_of(cli("recommend", *FAST, "--excluded", "--plain").out)
    assert head == ["requirement", "model", "quant", "reason", "would admit it"]
    document = cli("recommend", *FAST, "--json").document
    assert len(rows) == sum(len(r["reasons"]) for r in document["rejected"])
    assert {row[1] for row in rows} == {r["model"] for r in document["rejected"]}


def test_relax_admits_the_model_and_says_how_to_write_the_same(cli: Cli) -> None:
    rows = rows_of(cli("recommend", *FAST, "--excluded", "--plain").out)[1:]
    model = next(row[1] for row in rows if row[0] == "Speed")
    relaxed = cli("recommend", *FAST, "--relax", model, "--json")
    document = relaxed.document
    assert model not in {r["model"] for r in document["rejected"]}
    asked = document["constraints"]["latency"]["tokens_per_s"]
    assert asked < 20
    setting = f"latency.tokens_per_s={asked:g}"
    assert f"The same without --relax: --set '{setting}'" in relaxed.err
    again = cli("recommend", *FAST, "--set", setting, "--json")
    assert advice_of(again.document) == advice_of(document)


def test_relax_of_what_no_answer_admits_says_why_and_exits_3(cli: Cli) -> None:
    outcome = cli("recommend", *FAST, "--relax", "llama-3.1-405b-instruct")
    assert outcome.code == 3
    assert outcome.out == ""
    assert "no answer admits llama-3.1-405b-instruct: memory: needs" in outcome.err


def test_relax_of_a_model_that_passes_changes_nothing(cli: Cli) -> None:
    plain = cli("recommend", "--gpu", "none", "--ram", "24GiB", "--json").document
    first = plain["recommendation"]["model"]
    outcome = cli("recommend", "--gpu", "none", "--ram", "24GiB", "--relax", first, "--json")
    assert advice_of(outcome.document) == advice_of(plain)
    assert f"{first} passes as it is." in outcome.err


def test_relax_of_an_unknown_model_names_the_nearest_and_exits_2(cli: Cli) -> None:
    outcome = cli("recommend", "--relax", "llama-3.1-8b-instrukt")
    assert outcome.code == 2
    assert "llama-3.1-8b-instruct" in outcome.err


def test_plain_says_which_candidates_are_on_the_front(cli: Cli) -> None:
    arguments = ("recommend", "--gpu", "none", "--ram", "24GiB", "-n", "99")
    head, *rows = rows_of(cli(*arguments, "--plain").out)
    assert head[-1] == "front"
    front = {f"{c['model']}:{c['quantization']}" for c in cli(*arguments, "--json").document["pareto"]}
    assert {f"{row[1]}:{row[2]}" for row in rows if row[-1]} == {f"{r[1]}:{r[2]}" for r in rows} & front
    assert any(row[-1] for row in rows)
