"""Files of tasks: what is read, and how bad ones are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.trial.tasks import Choice, Code, Contains, Exact, JsonShape, Message, Numeric, Pattern
from advisor.errors import InputError
from advisor.trial.harness_samples import sample_line
from advisor.trial.reading import read_tasks


def written(folder: Path, *lines: object, name: str = "tasks.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_tasks(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def outcome(path: Path) -> str:
    """What is said of a file that may be good or bad; all that is good has a task on line 1 of it."""
    try:
        found = read_tasks(path)
    except InputError as error:
        return str(error)
    return f"{path}, line 1: {len(found.tasks)} tasks"


def test_every_check_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"id": "1", "prompt": "?", "expected": "a", "check": "exact"},
        {"id": 2, "prompt": "?", "expected": ["a", "b"], "check": {"kind": "contains", "amount": "share"}},
        {"id": "3", "prompt": "?", "check": {"kind": "regex", "pattern": "a+"}},
        {"id": "4", "prompt": "?", "expected": 3, "check": {"kind": "numeric", "tolerance": 1}},
        {"id": "5", "prompt": "?", "expected": "c", "check": {"kind": "choice", "options": 3}},
        {"id": "6", "prompt": "?", "expected": [1], "check": {"kind": "json_schema", "schema": {"type": "array"}}},
        {"id": "7", "prompt": "?", "check": {"kind": "code", "test": "assert f() == 1"}},
        {"id": "8", "prompt": "?", "check": "none"},
        {"id": "9", "system": "Be brief.", "prompt": "?", "max_tokens": 5, "stop": "\n", "tags": ["x"]},
    )
    found = read_tasks(path)
    assert [type(task.check) for task in found.tasks] == [
        Exact, Contains, Pattern, Numeric, Choice, JsonShape, Code, type(None), type(None)
    ]  # fmt: skip
    assert [task.line for task in found.tasks] == list(range(1, 10))
    last = found.tasks[-1]
    assert last.messages == (Message("system", "Be brief."), Message("user", "?"))
    assert (last.max_tokens, last.stop, last.tags) == (5, ("\n",), ("x",))
    assert found.tasks[4].check == Choice("C", 3)


def test_a_conversation_is_kept_in_its_order(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    (task,) = read_tasks(written(tmp_path, {"id": "x", "messages": turns})).tasks
    assert [m.content for m in task.messages] == ["a", "b", "c"]
    assert task.question == "c"


def test_bad_json_far_down_is_told_with_its_line(tmp_path: Path) -> None:
    good = [{"id": i, "prompt": "?"} for i in range(1, 7431)]
    path = written(tmp_path, *good, '{"id": 7431, "prompt": }', *[{"id": "z", "prompt": "?"}])
    assert f"{path}, line 7431: no valid JSON" in refusal(path)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([""], "no tasks"),
        (["[1]"], "line 1: no JSON object: it is a list"),
        (["NaN"], "line 1: no valid JSON"),
        (['{"id": "a", "prompt": "?", "expected": NaN}'], "line 1: no valid JSON: NaN is no JSON number"),
        (["[" * 100_000], "line 1: "),
        ([{"id": "a"}], "line 1: the file: one of `prompt` and `messages` is needed"),
        ([{"id": "a", "prompt": "?", "expcted": "x"}], "Did you mean 'expected'?"),
        ([{"id": "a", "prompt": "?"}, {"id": "a", "prompt": "!"}], "line 2: the id 'a' is already that of line 1"),
        ([{"id": "a", "prompt": "?"}, "", {"id": 1}], "line 3"),
        ([{"id": "a", "prompt": "?", "check": "exakt", "expected": "x"}], "check 'exakt' is none of exact"),
        ([{"id": "a", "prompt": "?", "check": "exact"}], "`expected` must be a text"),
        ([{"id": "a", "prompt": "?", "check": "numeric", "expected": "many"}], "`expected` must be a number"),
        ([{"id": "a", "prompt": "?", "check": "numeric", "expected": "nan"}], "`expected` must be a number"),
        ([{"id": "a", "prompt": "?", "check": "choice", "expected": "E"}], "one of the letters A to D"),
        ([{"id": "a", "prompt": "?", "check": {"kind": "json_schema"}}], "schema: the key is missing"),
        ([{"id": "a", "prompt": "?", "max_tokens": 0}], "max_tokens"),
        ([{"id": "a", "prompt": "a\0b"}], "zero character"),
        ([{"id": "a", "messages": [{"role": "robot", "content": "x"}]}], "messages[0].role"),
        ([{"id": "a", "messages": [{"role": "assistant", "content": "x"}]}], "must be the user's"),
    ],
)
def test_bad_tasks_are_one_clear_line(tmp_path: Path, lines: list[object], words: str) -> None:
    assert words in refusal(written(tmp_path, *lines))


def test_files_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    assert "cannot be read" in refusal(path)
    assert "cannot be read" in refusal(tmp_path)
    path.write_bytes(b'{"id": 1, "prompt": "?"}\n{"id": 2, "prompt": "\xff"}\n')
    assert "line 2: no UTF-8 text" in refusal(path)
    path.write_bytes(b"")
    assert "the file is empty" in refusal(path)


def test_csv_has_a_header_and_quoted_cells(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "id,prompt,expected,check,tags",
        'a,"Two lines,\nand a comma",yes,,x;y',
        'b,How many?,3,"{""kind"": ""numeric"", ""tolerance"": 1}",',
        ",Tell me,,,",
        name="tasks.csv",
    )
    found = read_tasks(path)
    assert [task.check for task in found.tasks] == [Exact(("yes",)), Numeric(3, 1), None]
    assert found.tasks[0].question == "Two lines,\nand a comma"
    assert [task.id for task in found.tasks] == ["a", "b", "5"]
    assert found.tasks[0].tags == ("x", "y")
    assert found.source == "CSV"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["What is 2+2?,4", "What is 3+3?,6"], "has no header: line 1 has no column `prompt`"),
        (["prompt,answer", "a,b"], "unknown column 'answer'"),
        (["prompt,prompt", "a,b"], "a column is there twice"),
        (["id,prompt", "1,a,b"], "line 2: too many cells"),
        (["id,prompt", "1,a", "1,b"], "line 3: the id '1' is already that of line 2"),
        (["prompt,check,expected", "a,exakt,b"], "line 2"),
        (["id,prompt"], "no tasks"),
    ],
)
def test_bad_csv_is_one_clear_line(tmp_path: Path, lines: list[str], words: str) -> None:
    assert words in refusal(written(tmp_path, *lines, name="tasks.csv"))


def test_samples_of_the_harness_are_read(tmp_path: Path) -> None:
    generation = {
        "doc_id": 0, "doc": {"question": "2+2"}, "target": "Working.\n#### 4", "resps": [["4"]],
        "arguments": {"gen_args_0": {"arg_0": "Q: 2+2\nA:", "arg_1": {"until": ["Q:"], "max_gen_toks": 99}}},
    }  # fmt: skip
    options = {
        "doc_id": 1, "doc": {}, "target": "1",
        "arguments": [["The sky is", " green"], ["The sky is", " blue"]], "acc": 1.0,
    }  # fmt: skip
    words = {"doc_id": 2, "doc": {}, "target": ["Paris", "paris"], "arguments": [["Capital?", {"until": []}]]}
    found = read_tasks(written(tmp_path, generation, options, words))
    first, second, third = found.tasks
    assert (first.check, first.stop, first.max_tokens) == (Numeric(4), ("Q:",), 99)
    assert second.check == Choice("B", 2)
    assert "A. green\nB. blue" in second.question
    assert third.check == Contains(("Paris", "paris"), "any", ignore_case=True)
    assert found.source == "lm-evaluation-harness samples"
    assert any("asked for the letter" in note for note in found.notes)


@pytest.mark.parametrize("word", ["Infinity", "nan", "-inf"])
def test_a_target_that_only_floats_take_for_a_number_is_a_word(word: str) -> None:
    sample = {"doc_id": 1, "arguments": [["What has no end?", {}]], "target": word}
    task, kind = sample_line(sample)
    assert (task["expected"], kind) == ([word], "contains")


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"doc_id": 1, "target": "x", "arguments": [["whole text"]]}, "likelihood of a text"),
        ({"doc_id": 1, "target": "x", "arguments": []}, "no list of requests"),
        ({"doc_id": 1, "target": "3", "arguments": [["a", " b"], ["a", " c"]]}, "none of its options"),
        ({"target": "3", "arguments": [["a", {}]]}, "`doc_id` is missing"),
    ],
)
def test_samples_that_cannot_be_asked_are_told(tmp_path: Path, sample: dict[str, object], words: str) -> None:
    assert words in refusal(written(tmp_path, {"id": 0, "prompt": "?"}, sample))


@given(st.binary(max_size=200), st.sampled_from(["jsonl", "csv", "tsv"]))
@settings(max_examples=150)
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, content: bytes, kind: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{kind}"
    path.write_bytes(content)
    assert str(path) in outcome(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    ["id", "prompt", "messages", "expected", "check", "stop", "tags", "system", "doc_id", "target", "arguments"]
)


@given(st.dictionaries(keys, json_values, max_size=8))
@settings(max_examples=200)
def test_no_object_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, raw: dict[str, object]) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz-object.jsonl"
    path.write_text(json.dumps(raw) + "\n", "utf-8")
    assert "line 1" in outcome(path)
