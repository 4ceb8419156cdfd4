"""The tables that the page on memory shows are those that the commands print."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median

from benchmarks.memory_logs import CASES, NOT_REPLAYED, compare, summary, table

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def rows() -> list[dict[str, str]]:
    with (BENCHMARKS / "data" / "memory_logs.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_row_of_the_logs_is_replayed_or_says_why_not() -> None:
    assert set(CASES) | set(NOT_REPLAYED) == set(range(1, len(rows()) + 1))


def test_totals_are_close_to_reality_and_hardly_ever_below() -> None:
    errors = [one.error for one in compare(rows()) if one.is_whole]
    assert median(map(abs, errors)) <= 0.01
    assert min(errors) >= -0.02


def test_the_page_shows_what_the_command_prints() -> None:
    found = compare(rows())
    text = (BENCHMARKS / "memory.md").read_text(encoding="utf-8")
    assert table(found) in text
    assert summary(found) in text
