from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from advisor.text import one_line, printable


def test_escape_sequences_are_shown_not_obeyed() -> None:
    assert printable("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert printable("evil\u202etxt.fugg") == "evil\\u202etxt.fugg"
    assert printable("Ünïcode ✓ [markup] stays") == "Ünïcode ✓ [markup] stays"


@given(st.text())
def test_nothing_that_moves_a_cursor_remains(text: str) -> None:
    assert not {unicodedata.category(c) for c in printable(text).replace("\n", "").replace("\t", "")} & {
        "Cc",
        "Cf",
        "Cs",
    }


@given(st.text())
def test_a_cell_has_one_line(text: str) -> None:
    assert "\n" not in one_line(text)
    assert "\t" not in one_line(text)
