"""`catalog coverage` and the page that it writes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from advisor.cli.commands.coverage import command
from advisor.service import Advisor

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_page_is_the_one_that_the_command_writes() -> None:
    assert PAGE.read_text("utf-8") == run("--markdown"), "write the output of --markdown to docs/coverage.md"


def test_the_table_covers_every_model_and_gives_a_reason_for_every_gap() -> None:
    lines = [line.split("\t") for line in run("--plain").splitlines()]
    split = lines.index([""])
    table, gaps = lines[1:split], lines[split + 2 :]
    fields = {row[0]: row for row in table}
    assert fields["hf_id"][1] == str(len(Advisor().catalogue.models))
    assert all(int(models) == int(sourced) + int(unknown) for _, models, sourced, unknown, _ in table)
    assert len(gaps) == int(fields["all"][3])
    assert all(len(gap) == 3 and all(gap) for gap in gaps)


def test_the_document_says_the_same_as_the_table() -> None:
    document = json.loads(run("--json"))
    assert document["schema_version"] == 1
    assert document["catalogue"]["sha256"] == Advisor().catalogue.sha256
    unknown = [(f["field"], gap["model"], gap["reason"]) for f in document["fields"] for gap in f["unknown"]]
    lines = [tuple(line.split("\t")) for line in run("--unknown", "--plain").splitlines()]
    assert lines[1:] == unknown


def test_what_every_advice_rests_on_is_sourced_for_every_model() -> None:
    document = json.loads(run("--json"))
    full = {f["field"] for f in document["fields"] if not f["unknown"]}
    assert {"hf_id", "release_date", "modalities", "active_params", "max_context_tokens"} <= full


def test_two_forms_at_once_are_refused() -> None:
    result = CliRunner().invoke(command, ["--json", "--markdown"])
    assert result.exit_code == 2
    assert "exclude one another" in result.stderr
