"""knowledge/serving.toml and the list of nodes, with the user's own over it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.catalog.hardware import load_gpus
from advisor.catalog.serving import load_nodes, load_serving
from advisor.errors import InputError
from advisor.paths import knowledge_dir

KNOWLEDGE = knowledge_dir()
GPUS = load_gpus(KNOWLEDGE)


def test_the_shipped_constants_are_read() -> None:
    found = load_serving(KNOWLEDGE)
    assert set(found.vllm.by_backend) == {"cuda", "rocm"}
    assert 0 < found.vllm.memory_share <= 1
    assert all(own.read >= 1 for own in found.vllm.by_backend.values())


def test_no_shipped_node_has_an_invented_price_and_each_has_a_source() -> None:
    nodes = load_nodes(KNOWLEDGE, GPUS)
    assert len({node.name for node in nodes}) == len(nodes) > 8
    for node in nodes:
        assert node.source
        assert node.price is None or node.price.source
        assert (node.link_bytes_per_s is None) == (node.count == 1)


def test_own_nodes_add_and_replace(tmp_path: Path) -> None:
    text = (KNOWLEDGE / "hardware" / "nodes.toml").read_text("utf-8")
    own = text.replace('name = "H100 server", gpu = "H100 SXM 80GB"', 'name = "H100 server", gpu = "H100 NVL 94GB"')
    (tmp_path / "nodes.toml").write_text(own.replace('"g6.xlarge"', '"mine"'), "utf-8")
    shipped, found = load_nodes(KNOWLEDGE, GPUS), load_nodes(KNOWLEDGE, GPUS, tmp_path)
    assert {n.name for n in found} == {n.name for n in shipped} | {"mine"}
    assert next(n for n in found if n.name == "H100 server").gpu.name == "H100 NVL 94GB"


def test_a_broken_constant_is_named(tmp_path: Path) -> None:
    path = Path(shutil.copy(KNOWLEDGE / "serving.toml", tmp_path / "serving.toml"))
    path.write_text(path.read_text("utf-8").replace("memory_share = 0.92", "memory_share = 1.5"), "utf-8")
    with pytest.raises(InputError, match=r"serving\.toml: vllm\.memory_share"):
        load_serving(tmp_path)
