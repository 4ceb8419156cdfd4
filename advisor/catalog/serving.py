"""What plans rest on: knowledge/serving.toml, and the nodes of knowledge/hardware/ with the user's own over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.catalog.hardware import find_gpu
from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.capacity.engines import BatchConstants, ServingFacts, SupportedArchitecture, VllmFacts
from advisor.domain.capacity.nodes import Node, Price
from advisor.domain.hardware import GpuSpec
from advisor.errors import InputError, nearest
from advisor.files import is_file

NODES = "nodes.toml"
_GIGA = 1e9


def load_serving(directory: Path) -> ServingFacts:
    """The constants of a knowledge directory. Raises InputError when the file cannot be read or breaks its schema."""
    document = KnowledgeReader(directory).read(directory / "serving.toml", "serving")
    vllm = document["vllm"]
    return ServingFacts(
        vllm=VllmFacts(
            architectures={
                name: SupportedArchitecture(
                    tuple(row["classes"]), document["sources"][row["source"]]["text"], row.get("reason")
                )
                for name, row in vllm["architectures"].items()
            },
            memory_share=vllm["memory_share"],
            overhead_bytes=vllm["overhead_bytes"],
            shared_bytes=vllm["shared_bytes"],
            max_sequences=vllm["max_sequences"],
            batched_tokens=vllm["batched_tokens"],
            by_backend={backend: BatchConstants(**row) for backend, row in vllm["by_backend"].items()},
        ),
        llama_max_slots=document["llama_cpp"]["max_slots"],
        network_bytes_per_s=document["network"]["bytes_per_s"],
        network_hop_s=document["network"]["hop_s"],
    )


def load_nodes(directory: Path, gpus: tuple[GpuSpec, ...], own: Path | None = None) -> tuple[Node, ...]:
    """The nodes that ship, then those of the user's configuration directory, which replace others of their name.

    Raises InputError naming the file and the node for an unknown GPU, a missing source or a broken file.
    """
    paths = [directory / "hardware" / NODES]
    if own is not None and is_file(own / NODES):
        paths.append(own / NODES)
    found: dict[str, Node] = {}
    for path in paths:
        # A file outside the knowledge directory is named by no seal, so it is validated here.
        document = KnowledgeReader(path.parent if path.parent == own else directory).read(path, "nodes")
        seen: set[str] = set()
        for row in document["node"]:
            if row["name"] in seen:
                raise InputError(f"{path}: node[{row['name']}]: the name occurs twice")
            seen.add(row["name"])
            found[row["name"]] = _node(row, document["sources"], gpus, path)
    return tuple(found.values())


def _node(row: dict[str, Any], sources: dict[str, Any], gpus: tuple[GpuSpec, ...], path: Path) -> Node:
    where = f"{path}: node[{row['name']}]"
    if row["source"] not in sources:
        raise InputError(f"{where}.source: no source {row['source']!r}", hint=nearest(row["source"], sources))
    try:
        gpu = find_gpu(gpus, row["gpu"])
    except InputError as error:
        raise InputError(f"{where}.gpu: {error.what}", why=error.why, hint=error.hint) from error
    price = None
    if "price_usd_hour" in row:
        price = Price(row["price_usd_hour"], row["price_source"], str(row["price_checked"]))
    return Node(
        name=row["name"],
        gpu=gpu,
        count=row["count"],
        memory_bytes=row.get("memory"),
        cores=row.get("cores"),
        link_bytes_per_s=_scaled(row.get("link_gb_s")),
        network_bytes_per_s=_scaled(row.get("network_gb_s")),
        fp8=row.get("fp8", False),
        price=price,
        source=sources[row["source"]]["text"],
    )


def _scaled(giga: float | None) -> float | None:
    return None if giga is None else giga * _GIGA
