from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.domain.trial.checks import (
    find_code,
    find_json,
    judge_choice,
    judge_contains,
    judge_exact,
    judge_numeric,
)
from advisor.domain.trial.tasks import Choice, Contains, Exact, Numeric


@pytest.mark.parametrize(
    ("answer", "score"),
    [("Paris", 1), (" Paris\n", 1), ("paris", 0), ("Paris.", 0), ("Lutetia", 1), ("Paris, France", 0)],
)
def test_exact_compares_whole_texts(answer: str, score: float) -> None:
    assert judge_exact(Exact(("Paris", "Lutetia")), answer).score == score


def test_case_punctuation_and_composed_characters_can_be_left_out() -> None:
    check = Exact(("Grün",), ignore_case=True, ignore_punctuation=True)
    assert judge_exact(check, "„gru\N{COMBINING DIAERESIS}n“.").score == 1
    assert judge_exact(Exact(("Grün",)), "Gru\N{COMBINING DIAERESIS}n").score == 1


def test_contains_takes_all_any_or_a_share() -> None:
    both = ("red", "blue")
    assert judge_contains(Contains(both), "blue").score == 0
    assert judge_contains(Contains(both, "any"), "blue").score == 1
    assert judge_contains(Contains(both, "share"), "blue").score == 0.5
    assert judge_contains(Contains(both, "share"), "neither").score == 0
    assert judge_contains(Contains(("RED",), ignore_case=True), "a red door").score == 1


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("12 + 3 = 15", 1),
        ("15 is 12 + 3", 0),
        ("The total is 1,015.00 - no, 15.0.", 1),
        ("−15", 0),
        ("fifteen", 0),
        ("1.5e1", 1),
        ("15th of May", 1),
    ],
)
def test_the_last_number_counts(answer: str, score: float) -> None:
    assert judge_numeric(Numeric(15), answer).score == score


def test_tolerances_are_absolute_or_relative() -> None:
    assert judge_numeric(Numeric(100, tolerance=2), "102").score == 1
    assert judge_numeric(Numeric(100, tolerance=2), "102.1").score == 0
    assert judge_numeric(Numeric(1000, relative_tolerance=0.01), "1,009").score == 1
    assert judge_numeric(Numeric(7, which="first"), "7 of 12").score == 1
    assert judge_numeric(Numeric(0.3), f"{0.1 + 0.2}").score == 1


@pytest.mark.parametrize("answer", ["1.0", "1.2"])
def test_an_answer_at_the_end_of_the_tolerance_is_right(answer: str) -> None:
    assert judge_numeric(Numeric(1.1, tolerance=0.1), answer).score == 1


def test_numbers_that_differ_in_their_last_digit_differ_in_the_reason() -> None:
    judged = judge_numeric(Numeric(1234567), "1,234,568")
    assert (judged.score, judged.reason) == (0, "1234568 instead of 1234567")


def test_a_number_beyond_all_doubles_is_wrong() -> None:
    assert judge_numeric(Numeric(5, relative_tolerance=0.5), "1e999").score == 0


@pytest.mark.parametrize(
    ("answer", "score"),
    [("B", 1), ("b", 1), ("(B)", 1), ("B. Berlin", 1), ("The answer is B.", 1), ("A", 0), ("Berlin", 0), ("E", 0)],
)
def test_the_letter_that_stands_alone_is_the_choice(answer: str, score: float) -> None:
    assert judge_choice(Choice("B", 4), answer).score == score


def test_json_is_found_in_a_fence_or_anywhere() -> None:
    assert find_json('Here: ```json\n{"a": [1]}\n``` and {"b": 2}') == (True, {"a": [1]})
    assert find_json('The set {x} is {"b": 2}, fine') == (True, {"b": 2})
    assert find_json("no braces") == (False, None)
    assert find_json("[" * 100_000) == (False, None)


def test_code_is_what_the_fences_hold() -> None:
    assert find_code("Sure:\n```python\ndef f(): pass\n```\nDone.") == "def f(): pass\n"
    assert find_code("```\na = 1\n```\n```\nb = 2") == "a = 1\n\n\nb = 2"
    assert find_code("```py\na = 1\n```\n```python\nb = 2") == "a = 1\n\n\nb = 2"
    assert find_code("x = 1") == "x = 1"


def test_what_the_code_prints_is_no_code() -> None:
    answer = "```python\nprint('Hello, world')\n```\nIt prints:\n```\nHello, world!\n```\n```json\n{}\n```"
    assert find_code(answer) == "print('Hello, world')\n"


@given(st.text(max_size=300))
def test_no_answer_breaks_a_check(answer: str) -> None:
    for judged in (
        judge_exact(Exact(("x",), True, True), answer),
        judge_contains(Contains(("x", "y"), "share"), answer),
        judge_numeric(Numeric(1.0), answer),
        judge_choice(Choice("A", 4), answer),
    ):
        assert judged.score is not None
        assert 0 <= judged.score <= 1
    find_json(answer)
    find_code(answer)
