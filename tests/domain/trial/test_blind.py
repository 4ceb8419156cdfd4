from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.trial.blind import VOTES, Judging, Side, replayed, start_judging
from advisor.domain.trial.words import tally_lines


def judging(n: int = 20, seed: int = 0) -> Judging:
    questions = {f"t{i}": f"question {i}" for i in range(n)}
    return start_judging(
        questions,
        Side("one", {task: f"first {task}" for task in questions}),
        Side("two", {task: f"second {task}" for task in questions}),
        seed=seed,
    )


def test_sides_and_order_are_drawn_by_the_seed() -> None:
    assert judging(seed=1) == judging(seed=1) != judging(seed=2)
    sides = [pair.left_is_first for pair in judging(200).pairs]
    assert 60 < sum(sides) < 140
    assert all(pair.left.startswith("first") == pair.left_is_first for pair in judging().pairs)


def test_votes_are_counted_for_whoever_stood_there() -> None:
    now = judging()
    while (pair := now.current) is not None:
        now = now.voted("left" if pair.left.startswith("second") else "right")
    tally = now.tally()
    assert (tally.first_wins, tally.second_wins) == (0, 20)
    assert tally_lines(tally)[-1].endswith("two is preferred (sign test, p < 0.001).")


def test_equal_answers_are_nobodys_question() -> None:
    found = start_judging({"a": "?", "b": "?"}, Side("x", {"a": "1", "b": "2"}), Side("y", {"a": "1 ", "b": "3"}))
    assert (found.same, [pair.task_id for pair in found.pairs]) == (1, ["b"])


@given(st.lists(st.sampled_from([*VOTES, "undo", "nonsense"]), max_size=60))
def test_a_sitting_that_is_replayed_is_where_it_was(steps: list[str]) -> None:
    now, votes = judging(10), list[str]()
    for step in steps:
        if step == "undo":
            votes = votes[:-1]
        elif step in VOTES and len(votes) < 10:
            votes.append(step)
    found = replayed(now, steps)
    assert list(found.votes) == votes
    assert found.tally().n == len(votes)


def test_ties_decide_nothing() -> None:
    now = replayed(judging(3), ["tie", "both_bad", "tie"])
    assert now.is_done
    assert tally_lines(now.tally())[-1] == "No pair was decided, so nothing can be said."
