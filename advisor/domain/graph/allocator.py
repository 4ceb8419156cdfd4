"""ggml's graph allocator: when each tensor gets and gives back its memory, and how high the buffer grows.

Source: `ggml_gallocr_alloc_graph_impl` and `ggml_dyn_tallocr_*` in ggml/src/ggml-alloc.c, as vendored by
llama-cpp-python 0.3.36. Which tensors share memory depends on the graph alone, so that part runs once per graph;
the addresses depend on the sizes and are played through for each model, layer by layer. What a layer makes of a heap
is remembered: layers are alike, and so are models of one size and file types that differ in a few tensors.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise

from advisor.domain.graph.nodes import IN_PLACE, Node, Place
from advisor.units import align_up
from advisor.values import value

_ENDLESS = 1 << 256
"""Room of the last free block: more than any file can ask for, whatever sizes it states."""

Events = tuple[tuple[int, str], ...]
"""`(slot, key)` takes memory of the size behind the key, `(~slot, key)` gives it back."""


class Segment:
    """A part of what happens on one device, such as a layer. There is only one of all that are equal.

    The slots in use at its start have the first numbers, in order of their making, and those that it makes follow.
    """

    __slots__ = ("events", "kept", "keys", "n_slots")

    def __init__(self, events: Events, kept: tuple[int, ...]) -> None:
        self.events = events
        self.keys = tuple(dict.fromkeys([key for _, key in events]))
        self.kept = kept
        """Slots in use at the end."""
        self.n_slots = 1 + max([slot for slot, _ in events], default=-1)


_segment = cache(Segment)


@value
class Program:
    """What an allocation does on each device."""

    segments: tuple[tuple[Segment, ...], ...]
    """For each device; all are cut at the same nodes of the graph."""
    loops: tuple[tuple[int, int], ...] = ()
    """Segments, from one up to another, that stand for many like them."""

    @classmethod
    def cut(
        cls, events: Sequence[Events], cuts: Sequence[Sequence[int]], loops: Sequence[tuple[int, int]] = ()
    ) -> Program:
        """The events of each device, cut before those with the numbers in `cuts`. Raises ValueError for a loop that
        ends with more or fewer tensors in use than it begins with."""
        devices = [_cut(own, at) for own, at in zip(events, cuts, strict=True)]
        for segments in devices:
            held = [0, *[len(segment.kept) for segment in segments]]
            if any(held[start] != held[stop] for start, stop in loops):
                raise ValueError("the layers of a loop hold unlike tensors")
        return cls(tuple(devices), tuple(loops))

    def walks(
        self, size_of: Mapping[str, int], alignments: Sequence[int], repeats: Sequence[int] = ()
    ) -> tuple[Walk, ...]:
        """The program of each device with all sizes but those of weights; `repeats` says how often each loop is run
        again."""
        pairs = zip(self.segments, alignments, strict=True)
        return tuple([Walk(self._parts(segments, repeats), size_of, alignment) for segments, alignment in pairs])

    def _parts(self, segments: tuple[Segment, ...], repeats: Sequence[int]) -> list[tuple[tuple[Segment, ...], int]]:
        """Segments, and how often they come in a row."""
        found: list[tuple[tuple[Segment, ...], int]] = []
        at = 0
        for (start, stop), n_again in zip(self.loops, repeats, strict=False):
            found += [(segments[at:stop], 1), (segments[start:stop], n_again)]
            at = stop
        found.append((segments[at:], 1))
        return [(tuple([segment for segment in part if segment.events]), n_times) for part, n_times in found]


def _cut(events: Events, cuts: Sequence[int]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    live: list[int] = []
    for start, stop in pairwise((0, *cuts, len(events))):
        places = {slot: i for i, slot in enumerate(live)}
        renamed = []
        for slot, key in events[start:stop]:
            if slot >= 0:
                live.append(slot)
                renamed.append((places.setdefault(slot, len(places)), key))
            else:
                live.remove(~slot)
                renamed.append((~places[~slot], key))
        found.append(_segment(tuple(renamed), tuple([places[slot] for slot in live])))
    return tuple(found)


class Allocation:
    """One walk through a graph that notes every taking and giving back; the nodes tell their devices."""

    def __init__(self, n_devices: int) -> None:
        self._events: list[list[tuple[int, str]]] = [[] for _ in range(n_devices)]
        self._device_of_slot: list[int] = []

    def run(
        self,
        nodes: Sequence[Node],
        leaves: Sequence[Node],
        *,
        cuts: Sequence[Node] = (),
        loops: Sequence[tuple[int, int]] = (),
    ) -> Program:
        """The program of a graph. A loop goes from one cut to another, between which it is the same again."""
        counts: dict[int, tuple[int, ...]] = {id(node): () for node in cuts}
        for node in leaves:
            self._allocate(node)
        for node in nodes:
            # A view without operation only keeps its source alive; the scheduler adds those for copies.
            if node.root is not None and node.op != "keep":
                node.root.n_views += 1
            for source in node.sources:
                source.n_children += 1
        for node in nodes:
            if id(node) in counts:
                counts[id(node)] = tuple([len(own) for own in self._events])
            self._allocate(node)
            for source in node.sources:
                self._release(source)
        places = [[at[i] for at in counts.values()] for i in range(len(self._events))]
        # The first segment is what comes before the first cut.
        return Program.cut([tuple(own) for own in self._events], places, [(a + 1, b + 1) for a, b in loops])

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


class _Heap:
    """The free blocks of one device, and where the slots in use begin. There is only one of all that are equal."""

    __slots__ = ("held", "rooms", "starts")

    def __init__(self, starts: tuple[int, ...], rooms: tuple[int, ...], held: tuple[int, ...]) -> None:
        self.starts = starts
        self.rooms = rooms
        """Bytes of each block; the last one has no end."""
        self.held = held
        """-1 for a slot without a size."""


class _Step:
    """A segment with the sizes of all but weights. There is only one of all that are equal."""

    __slots__ = ("events", "kept", "mask", "n_slots", "weights")

    def __init__(self, segment: Segment, sizes: tuple[int | None, ...], alignment: int) -> None:
        self.mask = alignment - 1
        self.weights = tuple([key for key, size in zip(segment.keys, sizes, strict=True) if size is None])
        known = zip(segment.keys, sizes, strict=True)
        # A file's own figures can come to less than nothing, which takes no room either.
        size_of = {key: align_up(size, alignment) for key, size in known if size is not None and size > 0}
        place_of = {key: ~i for i, key in enumerate(self.weights)}
        # Of weights the complement of their place among `weights`. What has no size takes no room.
        found = [(slot, size_of.get(key, place_of.get(key, 0))) for slot, key in segment.events]
        self.events = tuple([(slot, size) for slot, size in found if size])
        self.kept = segment.kept
        self.n_slots = segment.n_slots


# Steps take some 4 KB, heaps 1 KB.
_step = lru_cache(maxsize=4096)(_Step)
_heap = lru_cache(maxsize=16384)(_Heap)
_EMPTY = _Heap((0,), (_ENDLESS,), ())


class Walk:
    """All that happens on one device, in steps of which only the sizes of weights are open."""

    __slots__ = ("_parts", "_peak", "_steps")

    def __init__(
        self, parts: Sequence[tuple[tuple[Segment, ...], int]], size_of: Mapping[str, int], alignment: int
    ) -> None:
        segments = {segment for part, _ in parts for segment in part}
        of = {segment: _step(segment, tuple(map(size_of.get, segment.keys)), alignment) for segment in segments}
        self._parts = tuple([(tuple([of[segment] for segment in part]), n_times) for part, n_times in parts])
        self._steps = tuple(of.values())
        self._peak = None if any([step.weights for step in self._steps]) else self._highest({})

    def peak(self, weights: Mapping[str, int]) -> int:
        """Bytes of the buffer. Weights that are not given are never fetched, and take no room."""
        return self._highest(weights) if self._peak is None else self._peak

    def _highest(self, weights: Mapping[str, int]) -> int:
        sizes = {step: tuple(map(weights.get, step.weights)) for step in self._steps}
        heap, highest = _EMPTY, 0
        for steps, n_times in self._parts:
            left = n_times
            seen: dict[_Heap, int] = {}
            while left:
                if heap in seen:  # from here on all comes again
                    left %= seen[heap] - left
                    seen = {}
                    continue
                seen[heap] = left
                for step in steps:
                    heap, high = _after(step, sizes[step], heap)
                    if high > highest:
                        highest = high
                left -= 1
        return highest


@lru_cache(maxsize=16384)
def _after(step: _Step, weights: tuple[int | None, ...], before: _Heap) -> tuple[_Heap, int]:
    """The heap after a step, and how high the buffer must be for it: the best fit is taken, and neighbours are joined
    again. Both are written out here: a candidate that is split over devices takes hundreds of them, and calls for each
    would take half of its time."""
    mask = step.mask
    sizes = [(n + mask) & ~mask if n else 0 for n in weights]
    starts, rooms = list(before.starts), list(before.rooms)
    held = [*before.held, *(-1,) * (step.n_slots - len(before.held))]
    highest = 0
    for slot, given in step.events:
        size = given if given > 0 else sizes[~given]
        if not size:
            continue
        if slot >= 0:
            best, best_room = 0, _ENDLESS
            for i, room in enumerate(rooms):
                if size <= room <= best_room:
                    best, best_room = i, room
            start = held[slot] = starts[best]
            stop = start + size
            if stop > highest:
                highest = stop
            if size == best_room:
                del starts[best], rooms[best]
            else:
                starts[best] = stop
                rooms[best] = best_room - size
            continue
        start = held[~slot]
        i = bisect_left(starts, start)
        joins_next = starts[i] == start + size
        if i and starts[i - 1] + rooms[i - 1] == start:
            if joins_next:
                del starts[i]
                size += rooms.pop(i)
            rooms[i - 1] += size
        elif joins_next:
            starts[i] = start
            rooms[i] += size
        else:
            starts.insert(i, start)
            rooms.insert(i, size)
    return _heap(tuple(starts), tuple(rooms), tuple([held[slot] for slot in step.kept])), highest
