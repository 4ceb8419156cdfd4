"""The lab sees what a fault leaves behind, wherever that went."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.faults.lab import Done, Lab

_DETACHED = """
import os, sys
if os.fork() == 0:
    os.setsid()
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        os._exit(0)
    os.closerange(0, 3)
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
os.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the faults are those of Linux")
def test_a_process_that_left_its_parent_and_its_session_is_found_and_ended(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    pid = int(lab.run(command=[sys.executable, "-c", _DETACHED]).out)
    (found,) = lab.left()
    assert found.startswith("process ")
    assert lab.left() == ()
    assert not psutil.pid_exists(pid)


def test_whatever_lies_in_the_temporary_folder_is_left_behind(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.run(command=[sys.executable, "-c", "import tempfile; tempfile.mkdtemp()"])
    (found,) = lab.left()
    assert found.startswith("file tmp/")


@pytest.mark.parametrize(
    ("err", "is_one_line"),
    [
        ("reading\nllm-advisor: no room. Make some.\n", True),
        ("llm-advisor: no room. Make some.\nmore\n", False),
        ("llm-advisor: no room\nllm-advisor: no room\n", False),
        ("no room\n", False),
        ("", False),
    ],
)
def test_one_line_says_what_is_wrong_and_is_the_last(err: str, is_one_line: bool) -> None:
    assert Done(2, "", err, 0.0).is_one_line is is_one_line
