"""The example of 200 tasks: made by its script, with answers that are right."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime

import pytest

from advisor.domain.trial.checks import find_json
from advisor.domain.trial.tasks import Contains, JsonShape, Numeric, Pattern
from advisor.trial.checking import Judge
from advisor.trial.reading import read_tasks
from docs.trial_tasks import N_TASKS, PLACE, text


def test_the_file_is_what_the_script_makes() -> None:
    assert PLACE.read_text("utf-8") == text()


def test_there_are_200_tasks_of_several_kinds_with_a_check_each() -> None:
    found = read_tasks(PLACE)
    assert len(found.tasks) == N_TASKS == 200
    assert all(task.check is not None and task.tags for task in found.tasks)
    assert len(Counter(tag for task in found.tasks for tag in task.tags)) == 9
    assert {type(task.check) for task in found.tasks} == {Numeric, Contains, Pattern, JsonShape}
    assert len({task.question for task in found.tasks}) == 200
    with Judge() as judge:
        judge.verify(found.tasks, "trial-200.jsonl")


def test_every_expected_answer_passes_its_own_check() -> None:
    with Judge() as judge:
        for line in map(json.loads, PLACE.read_text("utf-8").splitlines()):
            task = next(t for t in read_tasks(PLACE).tasks if t.id == line["id"])
            expected = line["expected"]
            answer = json.dumps(expected) if isinstance(expected, dict) else str(_first(expected))
            assert judge.judge(task.check, f"  {answer}\n").score == 1, line


def _first(expected: object) -> object:
    return expected[0] if isinstance(expected, list) else expected


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    return [json.loads(line) for line in PLACE.read_text("utf-8").splitlines()]


def test_arithmetic_is_computed_again_from_the_question(lines: list[dict[str, object]]) -> None:
    sums = [line for line in lines if line["tags"] == ["arithmetic"]]
    assert len(sums) == 54
    for line in sums:
        match = re.match(r"(\d+) ([-+*]) (\d+) = \?", str(line["prompt"]))
        assert match is not None
        a, b = int(match[1]), int(match[3])
        assert line["expected"] == {"+": a + b, "-": a - b, "*": a * b}[match[2]]


def test_what_is_copied_stands_in_the_question(lines: list[dict[str, object]]) -> None:
    copied = [line for line in lines if line["tags"] == ["extraction"]]
    assert len(copied) == 26
    assert all(str(line["expected"]) in str(line["prompt"]) for line in copied)
    for line in lines:
        if line["tags"] == ["json"]:
            expected = line["expected"]
            assert isinstance(expected, dict)
            assert all(str(value) in str(line["prompt"]) for value in expected.values())
            assert find_json(json.dumps(expected)) == (True, expected)


def test_dates_lengths_and_orders_are_worked_out_again(lines: list[dict[str, object]]) -> None:
    for line in lines:
        prompt, expected = str(line["prompt"]), line["expected"]
        if str(line["id"]).startswith("date-"):
            day = datetime.strptime(prompt.partition(": ")[2], "%d %B %Y")
            assert expected == f"{day:%Y-%m-%d}"
        elif str(line["id"]).startswith("length-"):
            assert expected == len(prompt.split('"')[1])
        elif str(line["id"]).startswith("sort-"):
            assert expected == " ".join(sorted(prompt.partition(": ")[2].split()))
        elif str(line["id"]).startswith("capitals-"):
            assert expected == prompt.split('"')[1].upper()
