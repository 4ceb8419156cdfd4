from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.errors import InputError
from advisor.gguf import scratch
from advisor.gguf.scratch import header_root, scratch_dir

HOLD = """
import sys, time
from pathlib import Path
from advisor.gguf.scratch import scratch_dir
with scratch_dir(Path(sys.argv[1])) as folder:
    (folder / "weights").write_bytes(b"x" * 1000)
    print("ready", flush=True)
    time.sleep(60)
"""


def test_the_directory_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_dir(tmp_path) as folder:
        (folder / "a").write_text("x")
        assert folder.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.iterdir())


def test_the_directory_is_gone_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch_dir(tmp_path):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed_and_a_living_one_keeps_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as dead,
        subprocess.Popen(command, stdout=subprocess.PIPE) as living,
    ):
        for process in (dead, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        dead.kill()
        dead.wait()
        assert len(list(tmp_path.iterdir())) == 2
        with scratch_dir(tmp_path):
            left = {path.name.split("-")[2] for path in tmp_path.iterdir()}
        assert left == {str(living.pid), str(os.getpid())}
        living.kill()
    with scratch_dir(tmp_path):
        time.sleep(0)
    assert not list(tmp_path.iterdir())


def test_a_living_owner_keeps_its_own_although_its_number_means_nothing_here(tmp_path: Path) -> None:
    gone = 2**22 + 1  # beyond the largest process id of Linux
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        assert living.stdout.readline() == b"ready\n"
        (folder,) = tmp_path.iterdir()
        # As it is called where a container of its own numbers shares the disk.
        elsewhere = folder.rename(tmp_path / f"llm-advisor-{gone}-elsewhere")
        os.utime(elsewhere, (0, 0))
        with scratch_dir(tmp_path):
            pass
        assert (elsewhere / "weights").stat().st_size == 1000
        living.kill()
    with scratch_dir(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_directory_that_nobody_has_locked_is_removed_when_it_is_old(tmp_path: Path) -> None:
    gone = tmp_path / f"llm-advisor-{2**22 + 1}-left"
    gone.mkdir()
    with scratch_dir(tmp_path):
        assert gone.exists()
    os.utime(gone, (0, 0))
    with scratch_dir(tmp_path):
        assert not gone.exists()


def test_other_names_links_and_files_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    root = tmp_path / "root"
    root.mkdir()
    gone = str(2**22 + 1)  # beyond the largest process id of Linux
    (root / f"llm-advisor-{gone}-link").symlink_to(outside)
    (root / f"llm-advisor-{gone}-file").write_text("x")
    (root / "llm-advisor-notes").mkdir()
    (root / f"llm-advisor-{gone}-left").mkdir()
    for path in root.iterdir():
        os.utime(path, (0, 0), follow_symlinks=False)
    with scratch_dir(root):
        pass
    assert {path.name for path in root.iterdir()} == {
        f"llm-advisor-{gone}-link",
        f"llm-advisor-{gone}-file",
        "llm-advisor-notes",
    }
    assert (outside / "keep").exists()


def test_headers_go_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path)
    assert header_root() == tmp_path
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert header_root() is None
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path / "missing")
    assert header_root() is None


def test_a_missing_root_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes no temporary files"), scratch_dir(tmp_path / "missing"):
        pass
