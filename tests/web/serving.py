"""`llm-advisor serve` as a process of its own, and who descends from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


class Serving:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.token = url.partition("token=")[2]
        self.base = url.partition("/?")[0]

    @property
    def children(self) -> list[int]:
        """Process ids of the visitors."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    @property
    def family(self) -> list[int]:
        """Process ids of the visitors and of what they started, such as llama.cpp that is asked about its devices."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


@contextmanager
def serving(*options: str, **variables: str) -> Iterator[Serving]:
    """The server until the block ends, and what it started until a moment later: what stays is killed, and told."""
    command = [sys.executable, "-m", "advisor", "serve", "--port", "0", *options]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found is not None, line + process.stderr.read()
        yield Serving(process, found[0])
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            _, stayed = psutil.wait_procs(family, 10)
            for one in stayed:
                one.kill()
            if process.stderr is not None:
                process.stderr.close()
        assert stayed == [], "the server has ended, and not all that it started"


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become true, and fail where it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
