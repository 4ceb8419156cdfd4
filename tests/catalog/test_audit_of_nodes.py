"""What `catalog validate` finds in the list of rented machines: the shipped one and the user's own."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from advisor.catalog.audit import audit
from advisor.catalog.sealed import SEAL

from .example import KNOWLEDGE

TODAY = date(2026, 11, 28)
NODES = (KNOWLEDGE / "hardware/nodes.toml").read_text("utf-8")
UNKNOWN_GPU = ('gpu = "L4"', 'gpu = "L44"', "node[g6.xlarge].gpu", "no GPU named 'L44' is known")
TWICE = ('name = "g6e.xlarge"', 'name = "g6.xlarge"', "node[g6.xlarge]", "the name occurs twice")


@pytest.mark.parametrize(("old", "new", "key", "reason"), [UNKNOWN_GPU, TWICE])
def test_a_mistake_in_the_shipped_machines_is_found(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    assert old in NODES
    knowledge = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, knowledge)
    (knowledge / SEAL).unlink()
    (knowledge / "hardware/nodes.toml").write_text(NODES.replace(old, new, 1), "utf-8")
    errors = [f for f in audit(knowledge, tmp_path / "no-overlay", TODAY).findings if f.level == "error"]
    assert any((f.file, f.key) == ("hardware/nodes.toml", key) and reason in f.reason for f in errors), errors


def test_a_machine_of_ones_own_is_held_against_the_gpus(tmp_path: Path) -> None:
    own = tmp_path / "nodes.toml"
    own.write_text(NODES, "utf-8")
    assert audit(KNOWLEDGE, tmp_path, TODAY).findings == ()
    own.write_text(NODES.replace('gpu = "L4"', 'gpu = "L44"', 1), "utf-8")
    [finding] = audit(KNOWLEDGE, tmp_path, TODAY).findings
    assert (finding.level, finding.file, finding.key) == ("error", str(own), "node[g6.xlarge].gpu")
