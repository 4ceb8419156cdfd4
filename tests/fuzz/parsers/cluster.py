"""What the nodes of a Ray cluster answer about themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from advisor.cluster import probing
from advisor.domain.pools import memory_pools
from advisor.errors import InputError, NetworkError
from advisor.export.documents import machine_document
from advisor.probe.fleet_file import read_fleet_file
from tests.fuzz.codecs import Json
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.shared import advisor, default_constraints, desktop


def nodes(raw: bytes, folder: Path) -> None:
    """The probe of one node, down to the fleet file that is written of it."""
    out = raw.decode("utf-8", "replace")
    node: dict[str, Any] = {"id": "a" * 56, "name": "head", "address": "10.0.0.1"}
    silent = {**node, "id": "b" * 56, "probe": {"code": 1, "out": "", "err": out}}
    answered = {"nodes": [{**node, "probe": {"code": 0, "out": out, "err": ""}}, silent]}
    with (
        patch.object(probing, "_run", return_value=answered),
        patch.object(probing, "find_spec", return_value=object()),
    ):
        fleet = advisor().probe_cluster("10.0.0.1:6379")
    advisor().fleet_document(fleet)
    path = folder / "fleet.toml"
    path.write_text(advisor().fleet_file_text(fleet), "utf-8")
    assert len(read_fleet_file(path).nodes) == len(fleet.nodes)
    for found in fleet.nodes:
        memory_pools(found.machine, default_constraints().machine, advisor().figures(found.machine))


def _seeds() -> Sequence[bytes]:
    whole = {"schema_version": 1, **machine_document(desktop())}
    return [json.dumps(whole).encode(), json.dumps({**whole, "gpus": []}).encode(), b"[]"]


_WORDS = (
    "schema_version", "simulated", "platform", "cpu", "memory", "gpus", "engine", "disk", "name", "value", "source", "reason",
    "hint", "total_bytes", "free_bytes", "bandwidth_bytes_per_s", "devices", "kind", "system_info", "version", "driver",
)  # fmt: skip

HARNESSES = (
    Harness(
        "cluster-nodes",
        "what the nodes of a Ray cluster say of themselves (JSON)",
        "`Advisor.probe_cluster` behind the child that asks them, `fleet_file_text`, `fleet_document`",
        nodes,
        _seeds,
        Json(),
        _WORDS,
        refusals=(InputError, NetworkError),
    ),
)
