"""Tables on terminals of many widths."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.cli import output
from advisor.units import GIB

PLAN = ("engine", "machine", "weights", "machines", "GPUs", "first token", "per request", "breaks first", "carries")
ROW = ("llama.cpp", "2x RTX 4090 workstation", "Q5_K_S", "1,880", "0", "13.8 s", "160 tok/s", "computing prompts", "2")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(columns: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> list[str]:
    """The lines that a terminal of this width shows."""
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("LINES", "24")
        patch.setenv("TERM", "dumb")
        patch.setattr(sys, "stdout", terminal)
        output.emit_table(columns, rows, plain=False, numeric=(3, 4))
    return terminal.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_width_tears_a_word_or_a_figure_of_a_wide_table(width: int) -> None:
    lines = drawn(PLAN, [ROW], width)
    words = " ".join(lines).split()
    for part in (*PLAN, *ROW):
        assert set(part.split()) <= set(words), part
    assert max(map(len, lines)) <= width


def test_an_id_is_broken_behind_a_hyphen_and_a_date_is_not() -> None:
    lines = drawn(("model", "released", "size"), [("ministral-3-8b-instruct", "2025-12-02", str(8 * GIB))], 36)
    assert [line.split()[0] for line in lines if line.strip()][2:] == ["ministral-", "3-8b-", "instruct"]
    assert any("2025-12-02  8589934592" in line for line in lines)


def test_where_no_table_fits_each_row_is_a_list_of_what_it_says() -> None:
    lines = [line.rstrip() for line in drawn(PLAN, [ROW, (*ROW[:-1], "")], 40)]
    assert lines[:3] == ["engine        llama.cpp", "machine       2x RTX 4090 workstation", "weights       Q5_K_S"]
    assert lines.count("") == 2
    assert sum(line.startswith("carries") for line in lines) == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_name_over_a_column_is_neither_markup_nor_obeyed(width: int) -> None:
    names = ("[red]a[/red]", "b\x1b]0;title\x07", "c" * 30, "d" * 20)
    lines = drawn(names, [("1", "2", "3", "4")], width)
    said = " ".join(" ".join(lines).split())
    assert "[red]a[/red]" in said
    assert "\\x1b]0;title\\x07" in said
    assert "\x1b" not in said


def test_a_name_over_a_column_is_not_obeyed_where_the_table_goes_to_a_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.emit_table(("a\tb", "c\x1b[2J"), [("1", "2")], plain=True)
    assert capsys.readouterr().out == "a b\tc\\x1b[2J\n1\t2\n"


_CELLS = st.lists(st.text("abcdefgh0123456789.,", min_size=1, max_size=12), max_size=4).map(" ".join)


@given(st.data(), st.integers(1, 9), st.integers(40, 200))
def test_every_word_is_whole_on_a_line_that_fits(data: st.DataObject, n_columns: int, width: int) -> None:
    columns = tuple(f"c{i}" for i in range(n_columns))
    rows = data.draw(st.lists(st.tuples(*[_CELLS] * n_columns), min_size=1, max_size=3))
    lines = drawn(columns, rows, width)
    assert all(len(line) <= width for line in lines)
    said = " ".join(lines).split()
    for row in rows:
        for cell in row:
            assert set(cell.split()) <= set(said)
