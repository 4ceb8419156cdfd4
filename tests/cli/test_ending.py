"""Signals that ask the program to end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from advisor.cli.diagnostics import guarded
from advisor.cli.ending import SIGNALS, ToldToEnd, orderly_end
from advisor.cli.output import emit_files
from advisor.errors import InputError


@pytest.mark.skipif(sys.platform == "win32", reason="no signal of Windows reaches its own process")
def test_a_signal_raises_once_and_afterwards_all_is_as_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(ToldToEnd), orderly_end():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with orderly_end():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_error_of_another_file_is_not_taken_for_one_of_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with open("/dev/full", "w") as full:
            full.write("x")

    assert guarded(fail, debug=False) == 1
    assert "unexpected OSError" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="names with a slash")
def test_files_are_exported_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    with pytest.raises(InputError, match="cannot be written"):
        emit_files({"one.yaml": "1", "blocked/two.yaml": "2"}, tmp_path, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["blocked"]
