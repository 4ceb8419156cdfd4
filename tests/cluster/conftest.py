"""One Ray cluster for all tests here: two nodes that pretend different memory, and one that has no llm-advisor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.local_ray import ROOT, LocalCluster, NodeSpec

LEFT = 'schema_version = 1\n[cpu]\ncores = 1\n[memory]\ntotal = "8GiB"\n'
RIGHT = 'schema_version = 1\n[cpu]\nname = "AMD EPYC 9654"\ncores = 32\n[memory]\ntotal = "64GiB"\n'
WITHOUT = """\
import time
from pathlib import Path

while Path({slow!r}).exists():
    time.sleep(0.05)
raise SystemExit("/usr/bin/python3: No module named advisor")
"""
"""Stands in for the package on a node that lacks it; it answers only once a file is gone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("ray") is not None or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason="ray is not installed: pip install -e '.[cluster]'"))


@pytest.fixture(scope="package")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file exists, the node without llm-advisor gives no answer."""
    return tmp_path_factory.mktemp("slow") / "wait"


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory, slow: Path) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("nodes")
    (folder / "left.toml").write_text(LEFT, "utf-8")
    (folder / "right.toml").write_text(RIGHT, "utf-8")
    shadow = folder / "shadow" / "advisor"
    shadow.mkdir(parents=True)
    # A folder without it would give way to the package that is installed.
    (shadow / "__init__.py").touch()
    (shadow / "__main__.py").write_text(WITHOUT.format(slow=str(slow)), "utf-8")
    own = {"PYTHONPATH": str(ROOT)}
    nodes = (
        NodeSpec("left", env={**own, "LLM_ADVISOR_MACHINE": str(folder / "left.toml")}),
        NodeSpec("right", env={**own, "LLM_ADVISOR_MACHINE": str(folder / "right.toml")}),
        NodeSpec("without", cores=0, env={"PYTHONPATH": str(shadow.parent)}),
    )
    started = LocalCluster(nodes)
    with started:
        yield started
    assert started.left == []
