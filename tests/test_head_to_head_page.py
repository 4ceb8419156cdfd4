"""The page of head-to-heads is what its command prints, on recorded machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.head_to_heads import CASES, DATA, Case, page

ROOT = Path(__file__).parents[1]


def test_the_page_is_what_the_command_prints() -> None:
    written = (ROOT / "docs" / "head-to-head.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m benchmarks.head_to_heads > docs/head-to-head.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.machine)
def test_the_files_that_a_command_names_exist(case: Case) -> None:
    assert (DATA / case.machine).exists()
    assert case.constraints is None or (DATA / case.constraints).exists()
    assert str(ROOT / "benchmarks/data/machines") == str(DATA)
