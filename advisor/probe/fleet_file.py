"""Fleet files: several machines written down, to advise for them together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator

from advisor._toml import load_toml
from advisor.domain.fleet import Fleet, FleetNode, NodeFailure
from advisor.errors import InputError
from advisor.probe.machine_file import HOW_TO_WRITE, MachineFileTable, MachineTables, Name, described_machine, n_gpus
from advisor.probe.machine_text import add_machine, one_comment
from advisor.schema_errors import explained

_HOW_TO_WRITE = "Write such a file with: llm-advisor probe --ray ADDRESS -o FILE"
MAX_NODES = 2048
MAX_GPUS = 16 * MAX_NODES
"""Of all nodes together."""

Text = Annotated[str, Field(strict=True, min_length=1, max_length=2000)]


class NodeTable(MachineTables):
    """One machine, as a machine file describes it, with a name."""

    name: Name


class FailureTable(MachineFileTable):
    """A machine that could not be probed."""

    name: Name
    reason: Text
    hint: Text | None = None


class FleetFile(MachineFileTable):
    """The whole file."""

    schema_version: Annotated[int, Field(strict=True, ge=1, le=1)] = 1
    source: Text | None = None
    node: Annotated[tuple[NodeTable, ...], Field(min_length=1, max_length=MAX_NODES)]
    failure: tuple[FailureTable, ...] = ()

    @field_validator("node")
    @classmethod
    def _is_one_fleet(cls, nodes: tuple[NodeTable, ...]) -> tuple[NodeTable, ...]:
        seen: set[str] = set()
        for node in nodes:
            if node.name in seen:
                raise ValueError(f"two nodes have the name {node.name!r}")
            seen.add(node.name)
        n_all = sum(n_gpus(node.gpu) for node in nodes)
        if n_all > MAX_GPUS:
            raise ValueError(f"{n_all:,} GPUs in one fleet, more than {MAX_GPUS:,}")
        return nodes


def is_fleet_file(path: Path) -> bool:
    """Whether a file describes several machines. Raises InputError where it cannot be read."""
    return "node" in load_toml(path, hint=HOW_TO_WRITE)


def read_fleet_file(path: Path) -> Fleet:
    """The machines of a file, as simulated ones. Raises InputError naming the file, the key and the nearest valid
    key."""
    document = load_toml(path, hint=_HOW_TO_WRITE)
    if "node" not in document:
        hint = "Give each machine a [[node]] with a name. " + _HOW_TO_WRITE
        raise InputError(f"{path} describes no fleet", why="it has no [[node]]", hint=hint)
    try:
        content = FleetFile.model_validate(document)
    except ValidationError as error:
        raise explained(error, FleetFile, document, name=str(path)) from error
    nodes = tuple(FleetNode(node.name, described_machine(node, path.name)) for node in content.node)
    failures = tuple(NodeFailure(f.name, f.reason, f.hint) for f in content.failure)
    return Fleet(content.source or path.name, nodes, failures)


def fleet_file_text(fleet: Fleet) -> str:
    """A fleet as TOML text that `read_fleet_file` takes; what is unknown is left out, with the reason."""
    import tomlkit  # only a written file needs it, and it is slow to import

    document = tomlkit.document()
    document.add(tomlkit.comment("Machines to advise for: llm-advisor recommend --machine FILE, plan --fleet FILE"))
    document.add("schema_version", tomlkit.item(1))
    document.add("source", tomlkit.item(_text(fleet.source)))
    document.add(tomlkit.nl())
    nodes = tomlkit.aot()
    for node in fleet.nodes:
        table = tomlkit.table()
        table.add("name", _text(node.name, 200))
        add_machine(table, node.machine)
        nodes.append(table)
    document.add("node", nodes)
    if fleet.failures:
        document.add("failure", _failures(fleet))
    return tomlkit.dumps(document)


def _failures(fleet: Fleet) -> Any:
    import tomlkit

    tables = tomlkit.aot()
    for failure in fleet.failures:
        table = tomlkit.table()
        table.add("name", _text(failure.name, 200))
        table.add("reason", _text(failure.reason))
        if failure.hint:
            table.add("hint", _text(failure.hint))
        tables.append(table)
    return tables


def _text(text: str, most: int = 2000) -> str:
    """What a node said, on one line and no longer than the file may hold."""
    return one_comment(text)[:most] or "unknown"
