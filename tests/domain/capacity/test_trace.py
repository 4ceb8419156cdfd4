"""Traces: what is read of them, and what is refused with its line."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from advisor.domain.capacity import trace as module
from advisor.domain.capacity.trace import KEPT_SIZES, read_trace
from advisor.errors import InputError

HEADER = "arrival_s,prompt_tokens,answer_tokens"


def test_rates_and_means_follow_from_the_rows() -> None:
    rows = [HEADER, "# a remark", "", *(f"{i},100,{i + 1}" for i in range(0, 121))]
    found = read_trace(rows, "t.csv")
    assert found.n_requests == 121
    assert found.seconds == 120.0
    assert found.mean_requests_per_s == pytest.approx(121 / 120)
    assert found.mean_prompt_tokens == 100
    assert found.mean_answer_tokens == 61
    assert found.sizes[0] == (100, 1)


def test_remarks_may_stand_before_the_header() -> None:
    assert read_trace(["# of Monday", "", HEADER, "0,10,10", "1,10,10"], "t.csv").n_requests == 2
    with pytest.raises(InputError, match="line 3: 'seconds,in,out' is no row"):
        read_trace([HEADER, "0,10,10", "seconds,in,out"], "t.csv")


def test_the_peak_is_the_busiest_minute() -> None:
    quiet = [f"{10 * i},10,10" for i in range(60)]
    busy = [f"{600 + i / 2},10,10" for i in range(120)]
    found = read_trace([*quiet, *busy, "1200,10,10"], "t.csv")
    assert found.peak_requests_per_s == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("-3,10,10", r"t.csv: line 2: arrival -3 s is no time from 0 on"),
        ("nan,10,10", r"line 2: arrival nan s is no time"),
        ("1,10", r"line 2: 2 fields in place of 3. Write arrival_s,prompt_tokens,answer_tokens"),
        ("1,ten,10", r"line 2: '1,ten,10' is no row of numbers"),
        ("1,0,10", r"line 2: 0 and 10 tokens. Each must be from 1"),
        ("0.5,10,10", r"line 2: arrival 0.5 s is before the one above it, 1 s. Sort the rows"),
        ("\x00\x1b[2J,1,1", r"line 2: .* is no row of numbers"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_trace(["1,10,10", row], "t.csv")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "t.csv: it has no requests: a rate needs"),
        ([HEADER], "t.csv: it has no requests: a rate needs"),
        (["5,1,1"], "t.csv: 1 request at one moment is no load"),
        (["5,1,1", "5,1,1"], "t.csv: 2 requests at one moment are no load"),
    ],
)
def test_a_trace_without_a_rate_is_refused(rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_trace(rows, "t.csv")


def test_ten_million_rows_are_refused_at_the_limit_in_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 20_000)
    given = 0

    def rows() -> Iterator[str]:
        nonlocal given
        for i in range(10_000_000):
            given += 1
            yield f"{i},10,{1 + i % 7}"

    tracemalloc.start()
    with pytest.raises(InputError, match=r"line 20001: more than 20,000 requests\. Cut it to its busiest hours"):
        read_trace(rows(), "t.csv")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert given == 20_001
    assert most < 200 * KEPT_SIZES * 8


def test_the_kept_sizes_are_a_fair_sample() -> None:
    """Rows of the first and of the second half are as likely to be kept."""
    found = read_trace((f"{i},{1 if i < 20_000 else 2},1" for i in range(40_000)), "t.csv")
    assert len(found.sizes) == KEPT_SIZES
    share = sum(1 for prompt, _ in found.sizes if prompt == 1) / KEPT_SIZES
    assert share == pytest.approx(0.5, abs=0.04)
