from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.units import (
    GIB,
    align_up,
    counted,
    format_bytes,
    format_count,
    format_figure,
    format_milliseconds,
    format_rate,
    format_tokens,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("64GiB", 64 * GIB),
        ("64G", 64 * GIB),
        (" 1.5 gib ", 3 * GIB // 2),
        ("512MiB", 1 << 29),
        ("1024", 1024),
        ("2 kb", 2048),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes_are_read_in_powers_of_two(text: str, n_bytes: int) -> None:
    assert parse_size(text) == n_bytes


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "1.2.3G", "64 GiBs", "1e9", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@given(st.integers(min_value=0, max_value=1 << 50))
def test_a_number_of_bytes_reads_back_exactly(n: int) -> None:
    assert parse_size(str(n)) == n


def test_figures_are_written_for_people() -> None:
    assert format_bytes(4_372_054_016) == "4.07 GiB"
    assert format_bytes(130_023_424) == "124 MiB"
    assert format_bytes(0) == "0 B"
    assert format_count(7_248_023_552) == "7.25B"
    assert format_count(108_641_793_536) == "109B"
    assert format_count(999_600_000) == "1B"
    assert format_figure(0.01234) == "0.0123"
    assert format_figure(1388.9) == "1,390"
    assert format_figure(0.0000278) == "0.0000278"
    assert format_figure(21234.0, 2) == "21,000"
    assert format_tokens(131_072) == "128K"
    assert format_tokens(10_485_760) == "10M"
    assert format_tokens(1000) == "1,000"
    assert format_rate(7.625) == "7.6 tok/s"
    assert format_rate(131.15) == "131 tok/s"
    assert format_milliseconds(180) == "180 ms"
    assert format_milliseconds(2400) == "2.4 s"
    assert format_milliseconds(200_000) == "3 min 20 s"


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_aligned_numbers_are_the_smallest_multiple(n: int, step: int) -> None:
    aligned = align_up(n, step)
    assert aligned % step == 0
    assert n <= aligned < n + step


@given(st.floats(0.01, 5000), st.floats(0.01, 5000))
def test_a_speed_beside_another_lies_on_its_side_of_it(rate: float, limit: float) -> None:
    if abs(rate - limit) > 1e-5:
        shown = float(format_rate(rate, limit).removesuffix(" tok/s"))
        assert (shown < limit) == (rate < limit)


def test_digits_are_added_only_where_two_figures_would_read_alike() -> None:
    assert format_rate(4.96, 5) == "4.96 tok/s"
    assert format_rate(4.9, 5) == "4.9 tok/s"
    assert format_rate(5.0, 5) == "5.0 tok/s"
    assert format_rate(99.6, 100) == "99.6 tok/s"
    assert format_rate(4.961, 4.96) == "5.0 tok/s"
    assert format_rate(4.959, 4.96) == "4.959 tok/s"
    assert format_milliseconds(2004, 2000) == "2.004 s"
    assert format_milliseconds(2100, 2000) == "2.1 s"
    assert format_milliseconds(999.7, 1000) == "999.7 ms"
    assert format_milliseconds(119_700) == "2 min 0 s"
    assert format_milliseconds(120_200, 120_000) == "2 min 0.2 s"


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 users"), (1, "1 user"), (2, "2 users"), (5000, "5,000 users"), (-1, "-1 users")]
)
def test_one_of_something_stands_alone_and_thousands_have_commas(n: int, words: str) -> None:
    assert counted(n, "user") == words
    assert counted(n, "was", "were") == words.replace("users", "were").replace("user", "was")
