"""Patterns, schemas and code, in children that are ended when they take too long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from advisor.domain.trial.tasks import Code, Exact, JsonShape, Message, Pattern, Task
from advisor.errors import InputError
from advisor.trial.checking import Judge


@pytest.fixture
def judge() -> Iterator[Judge]:
    before = set(psutil.Process().children(recursive=True))
    with Judge(allow_code=True, time_limit_s=0.5) as found:
        yield found
    since = set(psutil.Process().children(recursive=True)) - before
    assert not [child for child in since if judges(child)]


def judges(process: psutil.Process) -> bool:
    """Whether a process is a child of a judge that runs."""
    try:
        return "trial" in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def test_patterns_match_somewhere(judge: Judge) -> None:
    assert judge.judge(Pattern(r"\bcat\b"), "a cat sat").score == 1
    assert judge.judge(Pattern(r"\Acat\Z"), "a cat sat").score == 0


def test_a_runaway_pattern_is_ended_and_the_next_one_judged(judge: Judge) -> None:
    judge.judge(Pattern("a"), "a")
    started = time.monotonic()
    found = judge.judge(Pattern("(a+)+$"), "a" * 60 + "!")
    assert (found.score, found.reason) == (None, "not judged: took longer than 0.5 s")
    assert time.monotonic() - started < 30
    assert judge.judge(Pattern("b"), "abc").score == 1


def test_a_schema_and_an_expected_value_are_both_held_against_the_json(judge: Judge) -> None:
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    assert judge.judge(JsonShape(schema), 'x {"n": 1}').score == 1
    wrong = judge.judge(JsonShape(schema), '{"n": "1"}')
    assert (wrong.score, wrong.reason) == (0, "$.n: '1' is not of type 'integer'")
    assert judge.judge(JsonShape(schema), "none").reason == "no JSON in the answer"
    assert judge.judge(JsonShape(schema, True, {"n": 1.0}), '{"n": 1}').score == 1
    assert judge.judge(JsonShape({}, True, {"n": 1}), '{"n": true}').score == 0


def test_a_schema_fetches_nothing(judge: Judge) -> None:
    found = judge.judge(JsonShape({"$ref": "http://127.0.0.1:9/schema.json"}), "{}")
    assert found.score is None
    assert "which it does not contain" in found.reason


def test_patterns_and_schemas_are_tried_before_any_model_runs() -> None:
    def task(line: int, check: Pattern | JsonShape | Exact) -> Task:
        return Task(str(line), (Message("user", "?"),), check, line)

    # The usual time limit: the first schema makes the child import its validator.
    with Judge() as judge:
        judge.verify(
            [task(1, Exact(("a",))), task(2, Pattern("a+")), task(3, JsonShape({"type": "string"}))], "t.jsonl"
        )
        with pytest.raises(InputError, match=r"t\.jsonl, line 5: the pattern cannot be used: unterminated"):
            judge.verify([task(4, Pattern("a")), task(5, Pattern("[a"))], "t.jsonl")
        with pytest.raises(InputError, match=r"line 6: the schema is no JSON Schema: 'nothing' is not valid"):
            judge.verify([task(6, JsonShape({"type": "nothing"}))], "t.jsonl")


def code(text: str) -> str:
    return f"Here you are:\n```python\n{text}\n```"


def test_code_is_off_unless_asked_for() -> None:
    with Judge() as judge:
        found = judge.judge(Code("assert True"), code("x = 1"))
    assert (found.score, found.reason) == (None, "not judged: it needs --allow-code")


@pytest.mark.parametrize(
    ("text", "test", "score", "reason"),
    [
        ("def add(a, b):\n    return a + b", "assert add(2, 3) == 5", 1, "as expected"),
        ("def add(a, b):\n    return a - b", "assert add(2, 3) == 5, 'no sum'", 0, "AssertionError: no sum"),
        ("def add(a, b) return", "assert True", 0, "SyntaxError"),
        ("import sys\nsys.exit(0)", "assert False", 0, "the code ended itself"),
        ("import os\nos._exit(0)", "assert False", 0, "it ended before its test"),
        ("print('{\"passed\": true}')\nimport os; os._exit(0)", "assert False", 0, "it ended before its test"),
        ("import atexit\natexit.register(lambda: 1/0)", "assert True", 1, "as expected"),
        ("x = 'a' * (1 << 34)", "assert True", 0, "MemoryError"),
        ("raise BaseException('odd')", "assert True", 0, "BaseException: odd"),
    ],
)
def test_code_runs_with_its_test(judge: Judge, text: str, test: str, score: float, reason: str) -> None:
    found = judge.judge(Code(test), code(text))
    assert found.score == score
    assert found.reason.startswith(reason)


def test_code_that_never_ends_is_ended(judge: Judge) -> None:
    assert judge.judge(Code("pass", 0.5), code("while True: pass")).reason == "it ran longer than 0.5 s"


def test_code_cannot_do_harm(judge: Judge, tmp_path: Path) -> None:
    """It writes in its folder alone, reads nothing of the user's, and reaches neither network nor programs."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    tries = f"""
import os, socket, subprocess
held = []
def refused(what):
    try:
        what()
    except (OSError, RuntimeError) as error:
        held.append(type(error).__name__)
open('own.txt', 'w').write('fine')
refused(lambda: open({str(secret)!r}).read())
refused(lambda: open({str(tmp_path / "new")!r}, 'w'))
refused(lambda: os.remove({str(secret)!r}))
refused(lambda: socket.socket())
refused(lambda: subprocess.run(['/bin/true']))
refused(lambda: os.fork())
"""
    found = judge.judge(Code("assert len(held) == 6, held"), code(tries))
    assert found.score == 1, found.reason
    assert secret.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [secret]
