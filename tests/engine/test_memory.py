"""The memory of a process, also where the kernel does not tell all of it."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from advisor.engine import memory
from advisor.units import MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def test_the_peak_counts_what_was_held_since_the_baseline() -> None:
    before = memory.baseline_rss_bytes()
    held = bytearray(b"x" * 40 * MIB)
    assert memory.peak_rss_bytes() - before > 39 * MIB
    del held
    assert abs(memory.baseline_rss_bytes() - psutil.Process().memory_info().rss) < 8 * MIB


def test_a_kernel_that_tells_no_peak_is_asked_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "status").write_text("Name:\tpython\nVmRSS:\t  1234 kB\n")
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "clear_refs")
    before = memory.baseline_rss_bytes()
    assert before >= psutil.Process().memory_info().rss // 2
    assert memory.peak_rss_bytes() >= before
