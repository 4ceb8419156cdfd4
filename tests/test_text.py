from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from advisor.text import harmless_json, one_line, printable


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


@given(st.text())
def test_harmless_json_means_the_same_and_moves_no_cursor(text: str) -> None:
    written = harmless_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(written) == {text: [text]}
    assert printable(written) == written
    assert written.encode("utf-8")


def test_c1_controls_and_direction_overrides_are_escaped_in_json() -> None:
    assert harmless_json('"\x9b2J \u202e \U000e0001 é"') == '"\\u009b2J \\u202e \\udb40\\udc01 é"'
