"""Free disk space."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.probe.disk import read_disk_free
from advisor.units import GIB


def test_free_bytes_of_an_existing_directory(tmp_path: Path) -> None:
    assert read_disk_free(tmp_path).value == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2 * GIB)


def test_a_directory_that_is_not_there_yet_counts_with_its_parent(tmp_path: Path) -> None:
    planned = tmp_path / "a" / "b" / "c"
    assert read_disk_free(planned).value == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2 * GIB)
    assert not planned.exists()


def test_a_relative_path_counts_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_disk_free(Path("not/there")).value is not None


def test_a_path_that_no_system_takes_is_a_reason() -> None:
    reading = read_disk_free(Path("bad\0name"))
    assert (reading.value is None) == (reading.reason is not None)
