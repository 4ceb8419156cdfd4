"""The allocator's own rules, on small graphs."""

from __future__ import annotations

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
    (found,) = program.peaks(SIZES, (alignment,))
    return found


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
    assert peak(Program((events,), ((),))) == 1000 + 60 + 100 + 60


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(1, 5000)), max_size=60))
def test_a_buffer_is_never_lower_than_what_is_held(steps: list[tuple[int, int]]) -> None:
    """Takes and gives back in any order; the buffer holds at least all that is in use at once."""
    sizes = {f"s{n}": n for _, n in steps}
    events: list[tuple[int, str]] = []
    held: list[tuple[int, str]] = []
    most = used = 0
    for i, (choice, n) in enumerate(steps):
        if held and choice % 3 == 0:
            slot, key = held.pop(choice % len(held))
            events.append((~slot, key))
            used -= sizes[key]
        else:
            held.append((i, f"s{n}"))
            events.append((i, f"s{n}"))
            used += n
        most = max(most, used)
    (found,) = Program((tuple(events),), ((),)).peaks(sizes, (1,))
    assert found >= most
    assert found <= sum(n for _, n in steps)
