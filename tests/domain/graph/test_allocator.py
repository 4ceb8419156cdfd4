"""The allocator's own rules, on small graphs."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.graph.allocator import Allocation, Events, Program
from advisor.domain.graph.nodes import Graph, Node, leaf, op, view

SIZES = {"a": 100, "b": 60, "big": 1000, "none": 0}


def program_of(*results: Node) -> Program:
    graph = Graph()
    for node in results:
        graph.expand(node)
    return Allocation(1).run(graph.nodes, graph.leaves)


def peak(program: Program, alignment: int = 1) -> int:
    (walk,) = program.walks(SIZES, (alignment,))
    return walk.peak({})


def plain_peak(events: Sequence[tuple[int, int]]) -> int:
    """Each free block is looked at for each taking, `(slot, size)`; nothing is remembered."""
    free = [(0, 1 << 62)]
    held: dict[int, int] = {}
    highest = 0
    for slot, size in events:
        if slot < 0:
            free.append((held.pop(~slot), size))
            joined: list[tuple[int, int]] = []
            for start, room in sorted(free):
                if joined and sum(joined[-1]) == start:
                    start, room = joined[-1][0], joined.pop()[1] + room
                joined.append((start, room))
            free = joined
            continue
        room, start = min((room, -start) for start, room in free if room >= size)
        free.remove((-start, room))
        if room > size:
            free.append((size - start, room - size))
        held[slot] = -start
        highest = max(highest, size - start)
    return highest


def test_an_operation_that_can_work_in_place_takes_no_memory_of_its_own() -> None:
    assert peak(program_of(op("add", "a", op("mul_mat", "a", leaf("b")), leaf("b")))) == 100 + 60 + 60


def test_an_operand_that_is_needed_again_is_not_overwritten() -> None:
    first = op("mul_mat", "a", leaf("b"))
    assert peak(program_of(op("concat", "big", op("scale", "a", first), first))) == 60 + 100 + 100 + 1000


def test_a_view_is_no_operand_to_overwrite() -> None:
    assert peak(program_of(op("rope", "a", view(op("mul_mat", "a", leaf("b")))))) == 60 + 100 + 100


def test_memory_is_given_back_when_the_last_view_of_it_was_used() -> None:
    first = op("mul_mat", "a", leaf("b"))
    second = op("mul_mat", "b", view(view(first)))
    third = op("mul_mat", "a", second)
    # The second lies where the input was, the third where the first was.
    assert peak(program_of(third)) == 60 + 100


def test_sizes_are_rounded_up_to_the_alignment() -> None:
    assert peak(program_of(op("mul_mat", "a", leaf("b"))), alignment=32) == 64 + 128


def test_the_smallest_free_block_that_suffices_is_taken() -> None:
    events: Events = ((0, "big"), (1, "b"), (2, "a"), (3, "b"), (~0, "big"), (~2, "a"), (4, "a"), (5, "big"))
    # 4 goes where 2 was, so that 5 finds the block of 0.
    assert peak(Program.cut((events,), ((),))) == 1000 + 60 + 100 + 60


def some_events(steps: list[tuple[int, int]]) -> tuple[Events, int]:
    """Takes and gives back in any order, and the most that is held at once. The key is the size as text."""
    events: list[tuple[int, str]] = []
    held: list[tuple[int, int]] = []
    most = 0
    for i, (choice, n) in enumerate(steps):
        if held and choice % 3 == 0:
            slot, size = held.pop(choice % len(held))
            events.append((~slot, str(size)))
        else:
            held.append((i, n))
            events.append((i, str(n)))
        most = max(most, sum(size for _, size in held))
    return tuple(events), most


STEPS = st.lists(st.tuples(st.integers(1, 64), st.integers(1, 5000)), max_size=60)


@given(STEPS)
def test_a_buffer_is_never_lower_than_what_is_held(steps: list[tuple[int, int]]) -> None:
    """The buffer holds at least all that is in use at once."""
    events, most = some_events(steps)
    (walk,) = Program.cut((events,), ((),)).walks({key: int(key) for _, key in events}, (1,))
    assert most <= walk.peak({}) <= sum(n for _, n in steps)


@given(STEPS, st.sets(st.integers(0, 60)), st.integers(1, 9))
def test_neither_cuts_nor_sizes_that_come_late_make_a_difference(
    steps: list[tuple[int, int]], cuts: set[int], known: int
) -> None:
    events, _ = some_events(steps)
    sizes = {key: int(key) for _, key in events}
    late = {key: size for key, size in sizes.items() if size % known}
    program = Program.cut((events,), (sorted(cut for cut in cuts if cut < len(events)),))
    (walk,) = program.walks({key: size for key, size in sizes.items() if key not in late}, (1,))
    assert walk.peak(late) == plain_peak([(slot, sizes[key]) for slot, key in events])
