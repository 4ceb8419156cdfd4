"""The interval that the program states covers the published peaks, and the page shows what the command prints."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from advisor.domain.fine_tuning import ALLOCATOR_SHARE, SPREAD
from benchmarks.fine_tuning import read_rows, report

PAGE = Path(__file__).parents[1] / "benchmarks" / "fine_tuning.md"
ROWS = [row for row in read_rows() if not row.left_out]


def test_every_row_names_its_source_and_those_left_out_say_why() -> None:
    assert all(row.source for row in read_rows())
    assert {row.left_out for row in read_rows()} - {""}


def test_every_published_peak_with_checkpointing_lies_within_the_stated_interval() -> None:
    rows = [row for row in ROWS if row.recipe.checkpointing]
    assert len(rows) >= 30
    for row in rows:
        assert (1 - SPREAD) * row.predicted_bytes <= row.published_bytes <= (1 + SPREAD) * row.predicted_bytes, row


def test_the_allocator_s_share_is_the_median_of_the_rows_that_state_it() -> None:
    ratios = [row.reserved_over_allocated for row in ROWS if row.reserved_over_allocated]
    assert abs(median(ratios) - 1 - ALLOCATOR_SHARE) < 0.005


def test_the_page_shows_what_the_command_prints() -> None:
    assert report(read_rows()) in PAGE.read_text(encoding="utf-8")
