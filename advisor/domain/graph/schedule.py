"""Which device computes each node, and which tensors are copied between devices on the way.

Source: `ggml_backend_sched_split_graph` in ggml/src/ggml-backend.cpp, as vendored by llama-cpp-python 0.3.36, for
devices that support every operation, as CUDA does. The last device is the processor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from advisor.domain.graph.allocator import Allocation, Program
from advisor.domain.graph.models import BuiltGraph
from advisor.domain.graph.nodes import Node, Place

PIPELINE_COPIES = 4
"""`GGML_SCHED_MAX_COPIES`: copies of every input where several GPUs work on different micro-batches at once."""

_FREE_CHOICE = frozenset({"rope", "flash_attention"})
"""Operations whose small operands do not decide where they run."""


@dataclass(slots=True)
class _Split:
    device: int
    inputs: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


class Schedule:
    """One graph on several devices."""

    def __init__(self, built: BuiltGraph, n_devices: int, offloaded_rows: frozenset[str], copies: int) -> None:
        self._built = built
        self._cpu = n_devices - 1
        self._offloaded_rows = offloaded_rows
        """Row counts large enough for a GPU to fetch weights from system memory."""
        self._copies = copies
        self._copy_of: dict[tuple[int, int], Node] = {}

    def program(self) -> Program:
        """How the memory of each device is taken and given back."""
        graph, cuts, loops = self._built.graph, self._built.cuts, self._built.loops
        self._built.logits.is_kept = True
        if not self._cpu:
            return Allocation(1).run(graph.nodes, graph.leaves, cuts=cuts, loops=loops)
        self._assign()
        nodes: list[Node] = []
        for split in self._split():
            for source in split.inputs:
                nodes.append(Node("keep", source.size, [source], root=source.owner, runs_on=self._cpu))
                nodes.append(self._copy_of[id(source), split.device])
            nodes += split.nodes
        extra = self._pipeline_copies() if self._copies > 1 else []
        return Allocation(self._cpu + 1).run(nodes, [*extra, *graph.leaves], cuts=cuts, loops=loops)

    def _pipeline_copies(self) -> list[Node]:
        """Inputs of the graph and of each split, several times over and never given back."""
        inputs = [node for node in self._built.graph.leaves if node.is_input]
        inputs += self._copy_of.values()
        found = []
        for node in inputs:
            node.is_kept = True
            found.append(node)
            found += [Node("leaf", node.size, runs_on=node.runs_on, is_kept=True) for _ in range(self._copies - 1)]
        return found

    def _assign(self) -> None:
        graph = self._built.graph
        for node in (*graph.leaves, *graph.nodes):
            node.runs_on = self._given(node)
        working = [node for node in graph.nodes if node.op != "view"]
        self._spread(working, gpus_only=True)
        self._spread(reversed(working), gpus_only=True)
        self._spread(working, gpus_only=False)
        self._spread(reversed(working), gpus_only=False)
        for node in graph.nodes:
            if node.runs_on < 0 and node.root is not None:
                node.runs_on = node.root.runs_on
            for source in node.sources:
                if source.runs_on < 0:
                    source.runs_on = source.root.runs_on if source.root is not None else node.runs_on

    def _given(self, node: Node) -> int:
        """A device that follows from memory already placed, from an input or from a weight; else -1."""
        if node.device is not None:
            return node.device
        if node.owner.device is not None and node.owner.place is not Place.GRAPH:
            return node.owner.device
        if node.is_input:
            return self._cpu
        if node.op not in _FREE_CHOICE:
            for source in node.sources:
                if source.place is Place.WEIGHTS and source.device is not None:
                    is_moved = source.device == self._cpu and node.rows in self._offloaded_rows
                    return 0 if is_moved else source.device
        return -1

    def _spread(self, nodes: Iterable[Node], *, gpus_only: bool) -> None:
        """Give a node the device of the one beside it."""
        current = -1
        for node in nodes:
            if node.runs_on >= 0:
                current = -1 if gpus_only and node.runs_on == self._cpu else node.runs_on
            else:
                node.runs_on = current

    def _split(self) -> list[_Split]:
        """Runs of nodes on one device, each with the tensors that must be copied to it."""
        nodes = self._built.graph.nodes
        splits = [_Split(next(node.runs_on for node in nodes if node.op != "view"))]
        for node in nodes:
            if node.op == "view":
                splits[-1].nodes.append(node)
                continue
            if splits[-1].device != node.runs_on or _begins_anew(node, splits[-1]):
                splits.append(_Split(node.runs_on))
            self._add(node, splits[-1])
        return splits

    def _add(self, node: Node, split: _Split) -> None:
        split.nodes.append(node)
        if node.op == "flash_attention" and split.device != self._cpu:
            node.size += ".gpu"
        for i, source in enumerate(node.sources):
            if source.runs_on == split.device:
                continue
            key = (id(source), split.device)
            if key not in self._copy_of:
                self._copy_of[key] = Node("leaf", source.size, runs_on=split.device)
                split.inputs.append(source)
            node.sources[i] = self._copy_of[key]


def _begins_anew(node: Node, split: _Split) -> bool:
    """A new split for each weight that is fetched, so that the memory of the one before is free again."""
    if not split.inputs:
        return False
    return any(s.place is Place.WEIGHTS and s.runs_on != split.device for s in node.sources)
