"""The shipped constants against the published rates that they were fitted to, and against some that they were not."""

from __future__ import annotations

from functools import cache
from statistics import median

import pytest

from advisor.domain.speed.estimate import decode_seconds, prefill_seconds
from benchmarks.speed_rows import Row, read_rows
from tests.domain.speed.placing import constants


@cache
def rows() -> list[Row]:
    """Rows of builds whose overheads the shipped constants state."""
    return [row for row in read_rows() if row.era == "new"]


def rate(row: Row) -> float:
    if row.test == "tg":
        seconds = decode_seconds(row.parts, row.works, row.shape, constants(), [])
        return 1 / seconds if seconds else 0.0
    seconds = prefill_seconds(row.parts, row.works, row.shape, constants(), row.prompt, [])
    return row.n_tokens / seconds if seconds else 0.0


def errors(chosen: list[Row]) -> list[float]:
    return [abs(rate(row) / row.tokens_per_s - 1) for row in chosen]


def test_decoding_on_gpus_is_met() -> None:
    chosen = [row for row in rows() if row.test == "tg" and row.backend != "cpu" and row.flash_attention]
    assert len(chosen) > 60
    assert median(errors(chosen)) < 0.07


def test_prompts_on_gpus_are_met() -> None:
    chosen = [row for row in rows() if row.test == "pp" and row.backend != "cpu" and row.flash_attention]
    assert len(chosen) > 50
    assert median(errors(chosen)) < 0.20


def test_decoding_on_arm_processors_is_met() -> None:
    chosen = [row for row in read_rows() if row.test == "tg" and row.family == "arm"]
    assert len(chosen) > 15
    assert median(errors(chosen)) < 0.07


def test_decoding_on_x86_processors_is_met_as_far_as_one_pace_fits_all() -> None:
    """Cores of one family differ in clock and generation by more than its types do."""
    chosen = [row for row in read_rows() if row.test == "tg" and row.family == "x86"]
    assert len({row.device for row in chosen}) > 5
    assert median(errors(chosen)) < 0.15


def test_the_order_of_the_types_on_an_x86_processor_is_met() -> None:
    """A Ryzen 7950X with 2 threads: once its pace is known, each type is."""
    chosen = [row for row in read_rows() if row.test == "tg" and row.device == "AMD Ryzen 7000 desktop"]
    ratios = [rate(row) / row.tokens_per_s for row in chosen if row.pools[0].cores == 2]
    assert len(ratios) > 10
    assert median([abs(ratio / median(ratios) - 1) for ratio in ratios]) < 0.07


def test_decoding_falls_with_depth_as_measured() -> None:
    """From an empty cache to 15,360 tokens on an RTX 4080."""
    chosen = [r for r in rows() if r.device == "RTX 4080" and r.backend == "cuda" and r.test == "tg"]
    first, last = min(chosen, key=lambda r: r.depth_tokens), max(chosen, key=lambda r: r.depth_tokens)
    assert (first.depth_tokens, last.depth_tokens) == (0, 15360)
    assert rate(last) / rate(first) == pytest.approx(last.tokens_per_s / first.tokens_per_s, rel=0.05)


def test_decoding_at_64k_tokens_is_met() -> None:
    chosen = [row for row in rows() if row.test == "tg" and row.depth_tokens >= 32768]
    assert len(chosen) > 10
    assert median(errors(chosen)) < 0.15
