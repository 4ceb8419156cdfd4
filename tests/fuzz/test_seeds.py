"""Inputs that once broke something, long ones, and sound ones, within the bounds of every input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

from tests.fuzz.guard import judge
from tests.fuzz.registry import MODULES, load
from tests.fuzz.totals import FINDINGS

SEEDS = sorted(path for name in MODULES for path in (FINDINGS.parent / name).glob("*") if path.is_file())


@pytest.mark.parametrize("path", SEEDS, ids=[f"{path.parent.name}/{path.name}" for path in SEEDS])
def test_what_once_broke_a_parser_is_refused_or_read_within_the_bounds(path: Path, tmp_path: Path) -> None:
    _, finding = judge(load(path.parent.name), path.read_bytes(), tmp_path)
    assert finding is None, finding


def test_every_seed_is_explained_and_every_explanation_has_its_seed() -> None:
    rows = tomli.loads(FINDINGS.read_text("utf-8"))["finding"]
    told = {f"{row['parser'].partition(',')[0]}/{row['seed']}" for row in rows if "seed" in row}
    assert told == {f"{path.parent.name}/{path.name}" for path in SEEDS}


HUGE: dict[str, Callable[[], bytes]] = {
    "trial-result": lambda: b'{"answers":[' + b"{}," * (9 << 20) + b"1]}",
    "tasks-jsonl": lambda: b'{"id":1,"prompt":"?","expected":[' + b"[]," * (2 << 20) + b"1]}",
    "tasks-csv": lambda: b"prompt\n" + b"?\n" * 110_000,
    "machine": lambda: b"".join(b"a%d=1\n" % i for i in range(100_000)),
    "overlay": lambda: b"schema_version=1\n[sources]\n" + b'[[model]]\nid="m"\n' * 4_097,
    "hub-listing": lambda: b'{"sha":"%s","siblings":[' % (b"a" * 40) + b'{"rfilename":"x.gguf"},' * 50_000 + b"{}]}",
    "engine-logs": lambda: b"llama_kv_cache: size = " + b"1" * 1_000_000,
    "trial-journal": lambda: b'{"key":"a","answer":{}}\n' * 100_000,
    "ollama": lambda: b'{"layers":[' + b'{"mediaType":"x","digest":"y"},' * 30_000 + b"1]}",
}
"""Long inputs, made here because they would only fill the repository."""


@pytest.mark.parametrize("name", sorted(HUGE))
def test_a_long_input_takes_no_more_than_any_other(name: str, tmp_path: Path) -> None:
    _, finding = judge(load(name), HUGE[name](), tmp_path)
    assert finding is None, finding


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_sound_inputs_of_a_parser_break_nothing_and_some_are_read(name: str, tmp_path: Path) -> None:
    harness = load(name)
    outcomes = [judge(harness, raw, tmp_path) for raw in list(harness.seeds())[:20]]
    assert [finding for _, finding in outcomes if finding is not None] == []
    assert any(was_read for was_read, _ in outcomes)
