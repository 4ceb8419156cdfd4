from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.errors import InputError
from advisor.files import write_atomically


def test_a_new_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "file.toml", "x = 1\n", overwrite=False)
    assert (tmp_path / "new" / "file.toml").read_text() == "x = 1\n"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file.toml"]


def test_an_existing_file_is_kept_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text("old")
    with pytest.raises(InputError, match="exists"):
        write_atomically(path, "new", overwrite=False)
    assert path.read_text() == "old"
    write_atomically(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["file.toml"]


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(InputError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "below.toml", "x", overwrite=False)


def test_what_a_killed_process_left_beside_a_file_is_removed_when_it_is_written_again(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone = int(dead.stdout)
    old = tmp_path / f".a.toml.{gone}-abcdefgh.tmp"
    young = tmp_path / f".a.toml.{gone}-ijklmnop.tmp"
    alive = tmp_path / f".a.toml.{os.getppid()}-abcdefgh.tmp"
    other = tmp_path / f".b.toml.{gone}-abcdefgh.tmp"
    for path in (old, young, alive, other):
        path.write_text("half")
        if path != young:
            os.utime(path, (1, 1))
    write_atomically(tmp_path / "a.toml", "whole", overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"a.toml", young.name, alive.name, other.name}
