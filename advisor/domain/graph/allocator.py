"""ggml's graph allocator: when each tensor gets and gives back its memory, and how high the buffer grows.

Source: `ggml_gallocr_alloc_graph_impl` and `ggml_dyn_tallocr_*` in ggml/src/ggml-alloc.c, as vendored by
llama-cpp-python 0.3.36. Which tensors share memory depends on the graph alone, so that part runs once per graph;
the addresses depend on the sizes and are played through for each model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from advisor.domain.graph.nodes import IN_PLACE, Node, Place
from advisor.values import value

_ENDLESS = 1 << 62


Events = tuple[tuple[int, str], ...]
"""`(slot, key)` takes memory of the size behind the key, `(~slot, key)` gives it back."""


@value
class Loop:
    """A layer's events that stand for those of many layers like it."""

    start: int
    stop: int
    live_before: tuple[int, ...]
    """Slots in use at the start, in order of their making; those at the stop take their names."""
    live_after: tuple[int, ...]


@value
class Program:
    """What an allocation does on each device."""

    events: tuple[Events, ...]
    loops: tuple[tuple[Loop, ...], ...]
    """For each device, the loops in order."""

    def peaks(
        self, size_of: Mapping[str, int], alignments: Sequence[int], repeats: Sequence[int] = ()
    ) -> tuple[int, ...]:
        """Bytes of the buffer of each device; `repeats` says how often each loop is run again. A size that is not given
        is that of weights which are never fetched, and takes no room."""
        found = []
        for events, loops, alignment in zip(self.events, self.loops, alignments, strict=True):
            heap = _Heap(size_of, alignment)
            at = 0
            for loop, n_again in zip(loops, repeats, strict=False):
                heap.play(events[at : loop.stop])
                heap.repeat(events[loop.start : loop.stop], loop, n_again)
                at = loop.stop
            heap.play(events[at:])
            found.append(heap.highest)
        return tuple(found)


class Allocation:
    """One walk through a graph that notes every taking and giving back; the nodes tell their devices."""

    def __init__(self, n_devices: int) -> None:
        self._events: list[list[tuple[int, str]]] = [[] for _ in range(n_devices)]
        self._device_of_slot: list[int] = []

    def run(self, nodes: Sequence[Node], leaves: Sequence[Node], *, loops: Sequence[tuple[Node, Node]] = ()) -> Program:
        """The program of a graph. A loop goes from one node to another of the same kind, some layers later."""
        marks: dict[int, tuple[_Mark, ...]] = {id(node): () for pair in loops for node in pair}
        for node in leaves:
            self._allocate(node)
        for node in nodes:
            # A view without operation only keeps its source alive; the scheduler adds those for copies.
            if node.root is not None and node.op != "keep":
                node.root.n_views += 1
            for source in node.sources:
                source.n_children += 1
        for node in nodes:
            if id(node) in marks:
                marks[id(node)] = tuple([(len(e), _live(e)) for e in self._events])
            self._allocate(node)
            for source in node.sources:
                self._release(source)
        pairs = [(marks[id(first)], marks[id(second)]) for first, second in loops]
        found = [tuple([_loop(a[i], b[i]) for a, b in pairs]) for i in range(len(self._events))]
        return Program(tuple([tuple(events) for events in self._events]), tuple(found))

    def _allocate(self, node: Node) -> None:
        if node.is_held or node.root is not None or node.place is not Place.GRAPH:
            return
        node.is_held = True
        if node.op in IN_PLACE and _take_over(node):
            return
        node.slot = len(self._device_of_slot)
        device = max(0, node.runs_on)
        self._device_of_slot.append(device)
        self._events[device].append((node.slot, node.size))

    def _release(self, node: Node) -> None:
        node.n_children -= 1
        if node.n_children or node.n_views:
            return
        if node.root is None:
            self._free(node)
            return
        owner = node.root
        owner.n_views -= 1
        if not owner.n_views and not owner.n_children:
            self._free(owner)

    def _free(self, node: Node) -> None:
        if node.is_held and not node.is_kept:
            self._events[self._device_of_slot[node.slot]].append((~node.slot, node.size))
            node.is_held = False


def _take_over(node: Node) -> bool:
    """Use the memory of an operand that nobody needs any more. Views do not own theirs."""
    for parent in node.sources:
        if not parent.is_held or parent.size != node.size or parent.is_kept:
            continue
        if parent.n_children == 1 and parent.n_views == 0:
            node.slot = parent.slot
            parent.is_held = False
            return True
    return False


_Mark = tuple[int, tuple[int, ...]]
"""Number of events so far, and the slots in use."""


def _live(events: Sequence[tuple[int, str]]) -> tuple[int, ...]:
    held = set()
    for slot, _ in events:
        if slot < 0:
            held.discard(~slot)
        else:
            held.add(slot)
    return tuple(sorted(held))


def _loop(before: _Mark, after: _Mark) -> Loop:
    if len(before[1]) != len(after[1]):
        raise ValueError("the layers of a loop hold unlike tensors")
    return Loop(before[0], after[0], before[1], after[1])


class _Heap:
    """Free blocks of one device: the best fit is taken, and neighbours are joined again."""

    def __init__(self, size_of: Mapping[str, int], alignment: int) -> None:
        self.highest = 0
        mask = alignment - 1
        self._sizes = {key: (n + mask) & ~mask for key, n in size_of.items()}
        self._starts = [0]
        self._ends = [_ENDLESS]
        self._held: dict[int, int] = {}

    def play(self, events: Events) -> None:
        """Take and give back. Both are written out here: a candidate that is split over devices takes hundreds of
        them, and calls for each would take half of its time."""
        starts, ends, held, size_of = self._starts, self._ends, self._held, self._sizes.get
        highest = self.highest
        for slot, key in events:
            size = size_of(key)
            if not size:
                continue
            if slot >= 0:
                best = -1
                best_size = _ENDLESS
                for i in range(len(starts)):
                    room = ends[i] - starts[i]
                    if size <= room <= best_size:
                        best, best_size = i, room
                start = held[slot] = starts[best]
                stop = start + size
                if stop > highest:
                    highest = stop
                if stop == ends[best]:
                    del starts[best], ends[best]
                else:
                    starts[best] = stop
                continue
            start = held.pop(~slot)
            end = start + size
            i = bisect_left(starts, start)
            if i and ends[i - 1] == start:
                if starts[i] == end:
                    ends[i - 1] = ends.pop(i)
                    del starts[i]
                else:
                    ends[i - 1] = end
            elif starts[i] == end:
                starts[i] = start
            else:
                starts.insert(i, start)
                ends.insert(i, end)
        self.highest = highest

    def repeat(self, events: Events, loop: Loop, n_again: int) -> None:
        """Play a loop again, as often as the addresses still change from one run to the next."""
        names = {after: before for before, after in zip(loop.live_before, loop.live_after, strict=True)}
        seen: dict[tuple[int, ...], int] = {}
        left = n_again
        while left:
            state = (*self._starts, *self._ends, *[self._held.get(slot, -1) for slot in loop.live_after])
            if state in seen:
                left %= seen[state] - left
                seen = {}
                if not left:
                    break
            seen[state] = left
            self._held = {names.get(slot, slot): start for slot, start in self._held.items()}
            self.play(events)
            left -= 1
