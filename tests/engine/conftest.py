"""A real engine, and proof after each test that no child and no file outlives it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import psutil
import pytest

from advisor.engine.client import EngineClient


@pytest.fixture(scope="session")
def shared() -> Iterator[EngineClient]:
    """One engine for the tests that leave it in order.

    One thread: several wait for each other after every step, which takes ages on a busy machine.
    """
    with EngineClient(threads=1) as client:
        yield client


@pytest.fixture
def client() -> Iterator[EngineClient]:
    """An engine of its own for a test that breaks it."""
    with EngineClient(threads=1) as client:
        yield client


def engine_children() -> set[int]:
    """Process ids of the engine children of this process."""
    children = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if "advisor.engine.worker" in process.cmdline():
                children.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return children


@pytest.fixture(autouse=True)
def nothing_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, shared: EngineClient
) -> Iterator[None]:
    """Temporary files go to a directory of the test's own, which must be empty afterwards."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    before = engine_children()
    yield
    assert list(folder.iterdir()) == []
    # Tests of other folders in this process may have engines of their own.
    assert engine_children() <= {shared.pid} | before
