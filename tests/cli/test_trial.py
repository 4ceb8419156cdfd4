"""`trial`, and `recommend --trial`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.service import Advisor
from tests.cli.running import Cli
from tests.trial.results import result_file
from tests.trial.test_reading import written

HERE = ("--gpu", "none", "--ram", "64GiB")
TASKS: list[dict[str, Any]] = [
    {"id": "capital", "prompt": "Name the capital city of France.", "expected": "Paris", "check": "contains"},
    {"id": "sum", "prompt": "What is 2 + 2?", "expected": 4, "check": "numeric", "tags": ["sums"]},
]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(tmp_path / "state"))


def run_trial(cli: Cli, tmp_path: Path, smollm2: Path, *more: object) -> Any:
    tasks = written(tmp_path, *TASKS)
    return cli("trial", tasks, "--file", smollm2, "--max-tokens", "8", "--threads", "1", *more)


def test_a_trial_tells_shares_with_intervals_and_says_nothing_else_on_stdout(
    cli: Cli, tmp_path: Path, smollm2: Path
) -> None:
    found = run_trial(cli, tmp_path, smollm2, "--plain")
    assert found.code == 0
    head, row, *_ = found.out.splitlines()
    assert head.split("\t")[:4] == ["model", "right", "share", "interval 95 %"]
    assert row.startswith(f"{smollm2.stem}\t")
    assert "of 2" in row
    assert "sums\t" in found.out
    assert "2 of 2 tasks" in found.err


def test_a_result_on_standard_output_stands_there_alone(cli: Cli, tmp_path: Path, smollm2: Path) -> None:
    found = run_trial(cli, tmp_path, smollm2, "-o", "-", "--json")
    assert (found.code, found.document["kind"]) == (0, "trial")


def test_the_same_trial_gives_the_same_bytes(cli: Cli, tmp_path: Path, smollm2: Path) -> None:
    first = run_trial(cli, tmp_path, smollm2, "--json")
    second = run_trial(cli, tmp_path, smollm2, "--json", "-o", tmp_path / "result.json")
    assert first.out == second.out
    document = first.document
    assert (document["schema_version"], document["kind"], document["complete"]) == (1, "trial", True)
    assert json.loads((tmp_path / "result.json").read_text()) == document
    assert Advisor().last_trial.exists()
    assert "2 answers known before" in second.err
    again = run_trial(cli, tmp_path, smollm2, "-o", tmp_path / "result.json")
    assert (again.code, again.err.splitlines()[-1][-8:]) == (2, "--force.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trial"], "there are no tasks"),
        (["trial", "missing.jsonl", "--file", "x.gguf"], "missing.jsonl cannot be read"),
        (["trial", "tasks.jsonl"], "nothing is on trial"),
        (["trial", "tasks.jsonl", "--file", "missing.gguf"], "missing.gguf cannot be read"),
        (["trial", "tasks.jsonl", "--model", "no-such"], "unknown model 'no-such'"),
        (["trial", "tasks.jsonl", "--model", "llama-3.1-8b-instruct:Q9"], "unknown quantization 'Q9'"),
        (["trial", "tasks.jsonl", "--picks", "1"], "no"),
        (["trial", "--judge"], "there is no trial yet"),
        (["trial", "--text", "tasks.jsonl"], "--text takes one or two files"),
        (["trial", "tasks.jsonl", "--text", "tasks.jsonl"], "--text goes with files alone"),
        (["recommend", "--trial", "missing.json"], "missing.json cannot be read"),
        (["recommend", "--trial", "tasks.jsonl"], "tasks.jsonl"),
    ],
)
def test_what_cannot_be_tried_is_one_clear_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, *TASKS)
    found = cli(*arguments)
    assert (found.code, found.out) == (2, "")
    assert words in found.err
    assert len(found.err.splitlines()) == 1


def test_judging_needs_a_terminal_and_tells_names_at_the_end_alone(cli: Cli, tmp_path: Path) -> None:
    path = result_file(tmp_path / "r.json", {"a": ("1", "2")})
    found = cli("trial", "--judge", "--result", path)
    assert found.code == 2
    assert "judging needs a terminal: 1 pair is to be judged" in found.err
    assert "aardvark" not in found.err
    assert cli("trial", "--judge", "--result", path, "--json").document["result"] is None
    with Advisor().judging_session(path) as sitting:
        sitting.vote("left")
    done = cli("trial", "--judge", "--result", path)
    assert done.code == 0
    assert "aardvark: " in done.out
    assert cli("trial", "--judge", "--result", path, "--json").document["result"]["ties"] == 0


def test_a_text_is_scored(cli: Cli, tmp_path: Path, smollm2: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("A small boat lay on the beach, and nobody knew whose it was. " * 12)
    found = cli("trial", "--text", text, "--file", smollm2, "--tokens", "80", "--json")
    document = found.document
    assert (found.code, document["kind"], document["difference"]) == (0, "text", None)
    assert document["tokens"] == 79
    bits = document["files"][0]["bits_per_byte"]
    assert 0 < bits["low"] < bits["value"] < bits["high"] < 8


def test_a_trial_goes_over_published_results_and_can_be_verified(cli: Cli, tmp_path: Path) -> None:
    published = cli("recommend", "--json", *HERE, "--quant", "Q4_K_M").document
    second = published["alternatives"][0]["model"]
    assert published["recommendation"]["quality"]["ground"] == "results"
    path = result_file(
        tmp_path / "result.json",
        {},
        contestants=[
            {"name": model, "sha256": "c" * 64, "model": model, "quantization": "Q4_K_M", "judged": 200, "total": total}
            for model, total in ((published["recommendation"]["model"], 60.0), (second, 190.0))
        ],
    )
    place = tmp_path / "rec.toml"
    found = cli("recommend", "--json", *HERE, "--quant", "Q4_K_M", "--trial", path, "-o", place)
    assert found.code == 0
    pick = found.document["recommendation"]
    assert pick["model"] == second
    assert (pick["quality"]["ground"], pick["quality"]["basis"]) == ("trial", "measured")
    assert pick["quality"]["tried_tasks"] == 200
    (why,) = [term["why"] for term in pick["score"]["terms"] if term["criterion"] == "quality"]
    assert why.startswith("your trial (n=200); 95% right")
    assert found.document["request"]["trial"]["candidates"][1]["total"] == 190.0
    verified = cli("verify", place, "--recorded-machine", "--json")
    assert (verified.code, verified.document["status"]) == (0, "holds")


def test_a_trial_of_other_models_changes_no_rank(cli: Cli, tmp_path: Path) -> None:
    path = result_file(tmp_path / "result.json", {}, contestants=[
        {"name": "mine", "sha256": "c" * 64, "model": None, "quantization": None, "judged": 200, "total": 10.0}
    ])  # fmt: skip
    found = cli("recommend", "--json", *HERE, "--trial", path)
    plain = cli("recommend", "--json", *HERE)
    assert "mine is no model of the catalogue" in found.err
    assert found.document["recommendation"] == plain.document["recommendation"]
