"""docs/deploy.md against the targets: engines, copies, files and the commands that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from advisor.export.deploy import TARGETS, serving_files
from tests.export.deploy.support import llama, on_processor, vllm

PAGE = (Path(__file__).parents[3] / "docs" / "deploy.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([\w-]+)` \| ([\w., ]+) \| (one|many) \| (.*) \|$", PAGE, re.MULTILINE)


def test_every_target_that_serves_has_its_row() -> None:
    assert [row[0] for row in ROWS] == [name for name, target in TARGETS.items() if not target.is_report]
    assert all(f"`{name}`" in PAGE for name in TARGETS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_what_the_target_does(row: tuple[str, str, str, str]) -> None:
    name, engines, copies, files = row
    target = TARGETS[name]
    assert tuple(engines.split(", ")) == target.engines
    assert (copies == "many") == target.scales
    serving = llama() if target.engines[0] == "llama.cpp" else vllm()
    if target.slots is not None:
        serving = on_processor(slots=target.slots)
    told = {file.replace("NAME", serving.label) for file in re.findall(r"`([^`]+)`", files)}
    assert told == set(serving_files(name, serving))
