from __future__ import annotations

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
