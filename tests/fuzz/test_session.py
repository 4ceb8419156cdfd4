"""What a run counts, and that nothing it found is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.errors import NetworkError
from tests.fuzz import __main__ as command
from tests.fuzz import totals
from tests.fuzz.harness import Harness
from tests.fuzz.session import Session


def _break(_: bytes, __: Path) -> None:
    raise NetworkError("not what is documented")


def test_what_an_earlier_run_found_is_found_again(tmp_path: Path) -> None:
    harness = Harness("made", "", "", _break, lambda: [b"seed"])
    for raw in (b"short", b"a longer one"):
        session = Session(harness, tmp_path / "scratch", tmp_path / "findings", tmp_path / "report.json", 1.0)
        session.try_one(raw)
        assert len(session.counts.findings) == 1, raw
    (kept,) = (tmp_path / "findings").glob("*.bin")
    assert kept.read_bytes() == b"short"


def test_a_death_of_the_process_counts_as_found_and_stands_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> tuple[int, dict[str, int], list[str]]:
        return -11, {}, []

    monkeypatch.setattr(command, "_run", dies)
    assert command._turn("machine", "atheris", 10.0, tmp_path) == 1
    totals.write_page(tmp_path, tmp_path / "totals.md")
    assert "machine (atheris): 1 death of the process" in (tmp_path / "totals.md").read_text("utf-8")


def test_what_was_found_and_is_still_counted_stands_in_the_page(tmp_path: Path) -> None:
    totals.add(tmp_path, "machine", "atheris", {"cpu_s": 1.0, "findings": {"a": "crash: KeyError at x.py:read"}}, {})
    totals.write_page(tmp_path, tmp_path / "totals.md")
    assert "machine (atheris): crash: KeyError at x.py:read" in (tmp_path / "totals.md").read_text("utf-8")
