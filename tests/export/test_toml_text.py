from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import tomli
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.hardware import Reading
from advisor.export.toml_text import fill
from tests.export.support import MACHINES, advise, gpu, machine, text_of, written

HOSTILE = {
    "markup": "[bold red]x[/] [[machine]] {a = 1} # no comment",
    "terminal escape": "\x1b[2J\x1b]0;owned\x07",
    "8-bit escape": "\x9b31m\x85",
    "quotes": "\"\"\" ''' \\ \\u0041 \\",
    "lines": 'one\ntwo = 2\r\n[machine]\n"three"\t\v\f\b',
    "direction": "\u202etxt.exe\u202c \u2066x\u2069 \u200f\u061c",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "separators": "\u2028\u2029\ufeff\u00a0\u200b\u00ad",
    "zero": "\x00\x7f",
    "astral": "\U0001f999 \U000e0041 \U0010ffff",
}


def _written(values: Mapping[str, object]) -> str:
    document = tomlkit.document()
    fill(document, values, None)
    return tomlkit.dumps(document)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_survives_in_every_place_and_stays_inert(text: str) -> None:
    values = {"plain": text, "list": [text, text], "table": {text: text}, "tables": [{"a": text}, {"a": [{"b": text}]}]}
    found = _written(values)
    assert tomllib.loads(found) == values
    assert tomli.loads(found) == values
    assert found.replace("\n", "").isprintable()


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.lists(st.text())))
def test_any_text_is_read_back_by_both_parsers(values: dict[str, object]) -> None:
    found = _written(values)
    assert tomllib.loads(found) == values
    assert tomli.loads(found) == values
    assert found.replace("\n", "").isprintable()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_is_read_back_exactly(number: float) -> None:
    read = tomllib.loads(_written({"number": number}))["number"]
    assert (read, type(read)) == (number, float)


def test_a_lone_surrogate_which_toml_cannot_hold_is_replaced() -> None:
    assert tomllib.loads(_written({"name": "a\ud800b"})) == {"name": "a\ufffdb"}


def test_none_is_left_out_at_every_depth() -> None:
    values = {"a": None, "b": {"c": None, "d": 1}, "e": [{"f": None, "g": 2}]}
    assert tomllib.loads(_written(values)) == {"b": {"d": 1}, "e": [{"g": 2}]}


def test_plain_values_stay_in_their_table_whatever_the_order() -> None:
    values = {"table": {"inner": {"x": 1}, "y": 2}, "tables": [{"deep": {"z": 3}, "w": 4}], "last": 5, "empty": []}
    assert tomllib.loads(_written(values)) == values


def test_a_machine_full_of_hostile_text_is_recorded_as_it_is(tmp_path: Path) -> None:
    card = gpu(0, "NVIDIA GeForce RTX 4090", 24)
    everything = "".join(HOSTILE.values())
    hostile = replace(
        machine(replace(card, driver=Reading(everything, everything, everything, everything)), ram_gib=64),
        platform=everything,
    )
    document = advise(hostile)
    assert text_of(document).replace("\n", "").isprintable()
    record = written(tmp_path / "rec.toml", document).machine
    assert record.platform == everything
    assert record.gpus[0].driver.value == everything
    assert record.gpus[0].driver.hint == everything


def test_no_line_of_a_recommendation_ends_in_spaces() -> None:
    text = text_of(advise(MACHINES["two H100"]))
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert text.endswith("\n")
