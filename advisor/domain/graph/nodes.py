"""Nodes of a compute graph, and the order in which ggml lists them.

A node's size is a key into a table of sizes, so that one graph serves every model of the same build. Sources are
the functions `ggml_visit_parents_graph` and `ggml_op_can_inplace` of ggml, as vendored by llama-cpp-python 0.3.36.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

NO_SIZE = ""
"""The size of a view, of a weight and of a cache: the graph's allocator has nothing to do with it."""

IN_PLACE = frozenset({"add", "mul", "div", "scale", "unary", "rope", "rms_norm", "clamp", "soft_max"})
"""Operations whose result may take the place of an operand (`ggml_op_can_inplace`)."""


class Place(IntEnum):
    """Who holds a tensor's memory."""

    GRAPH = 0
    WEIGHTS = 1
    CACHE = 2


@dataclass(slots=True, eq=False)
class Node:
    """A tensor of the graph. Identity counts, not content."""

    op: str
    """`leaf` and `view` are no operations."""
    size: str
    """Key into the table of sizes; equal keys mean equal shapes."""
    sources: list[Node] = field(default_factory=list)
    root: Node | None = None
    """The tensor that a view looks at."""
    place: Place = Place.GRAPH
    is_input: bool = False
    device: int | None = None
    """Where the memory of a weight or a cache lies, or where llama.cpp forces a node to; None where that is open."""
    rows: str = ""
    """Key of the row count by which an operation is found worth moving to a GPU; empty for those that never are."""
    runs_on: int = -1
    """The device that the scheduler chose; -1 before that."""
    n_children: int = 0
    """Operations that still need it, while memory is handed out."""
    n_views: int = 0
    slot: int = -1
    """The memory that it has or had."""
    is_held: bool = False
    is_kept: bool = False
    """Never given back."""

    @property
    def owner(self) -> Node:
        """The tensor whose memory this one uses."""
        return self.root or self


def leaf(size: str) -> Node:
    """An input that the program fills in."""
    return Node("leaf", size, is_input=True)


def weight(key: str, device: int) -> Node:
    """A matrix or vector of the model; `key` is its size where it must be copied to another device."""
    return Node("leaf", key, place=Place.WEIGHTS, device=device)


def cache(key: str, device: int) -> Node:
    """Keys, values or state of a layer; `key` is the size of what one graph reads of it."""
    return Node("leaf", key, place=Place.CACHE, device=device)


def view(node: Node, size: str | None = None) -> Node:
    """Another look at the same memory: reshape, permute, transpose, or a part where a size is given."""
    return Node("view", node.size if size is None else size, [node], root=node.owner)


def write(target: Node, *sources: Node) -> Node:
    """An operation that stores into a cache and counts as a view of it."""
    return Node("write", NO_SIZE, [*sources, target], root=target.owner)


def op(name: str, size: str, *sources: Node, rows: str = "") -> Node:
    """An operation with memory of its own."""
    return Node(name, size, list(sources), rows=rows)


class Graph:
    """Nodes and leaves in the order of evaluation."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.leaves: list[Node] = []
        self._seen: set[int] = set()

    def expand(self, node: Node) -> None:
        """Append a node behind everything that it needs (`ggml_build_forward_expand`)."""
        stack = [(node, False)]
        while stack:
            current, is_ready = stack.pop()
            if is_ready:
                (self.leaves if current.op == "leaf" else self.nodes).append(current)
            elif id(current) not in self._seen:
                self._seen.add(id(current))
                stack.append((current, True))
                stack.extend((source, False) for source in reversed(current.sources))
