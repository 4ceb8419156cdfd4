"""Judging answers: what is safe here, patterns and schemas in a child with a time limit, code in a closed one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

from advisor.domain.trial.checks import (
    RIGHT,
    Judgement,
    find_json,
    judge_choice,
    judge_contains,
    judge_exact,
    judge_numeric,
)
from advisor.domain.trial.tasks import Check, Choice, Code, Contains, Exact, JsonShape, Numeric, Pattern, Task
from advisor.engine.environment import child_env
from advisor.errors import InputError

TIME_LIMIT_S = 2.0
"""For one pattern or schema; a pattern without runaway backtracking takes microseconds."""
_START_S = 20.0
"""More for the first request of a child, which has to be started and to import its validator."""
_CHECKER = Path(__file__).with_name("checker.py")
_MAX_ANSWER = 1 << 20


class Judge:
    """Judges answers. A child for patterns and schemas starts with the first that needs one; close it at the end."""

    def __init__(self, *, allow_code: bool = False, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._allow_code = allow_code
        self._child = _Child(time_limit_s)

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.close()

    def judge(self, check: Check | None, answer: str) -> Judgement:
        """What a check says of an answer; never raises for what either contains."""
        if check is None:
            return Judgement(None, "no check")
        kind = type(check)
        if kind in _HERE:
            return _HERE[kind](check, answer)
        if isinstance(check, Pattern):
            return self._pattern(check, answer)
        if isinstance(check, JsonShape):
            return self._shape(check, answer)
        return self._code(cast(Code, check), answer)

    def verify(self, tasks: Sequence[Task], name: str) -> None:
        """Try patterns and schemas before any model runs. Raises InputError that names the line."""
        for task in tasks:
            request: dict[str, Any] | None = None
            if isinstance(task.check, Pattern):
                request, what = {"kind": "compile", "pattern": task.check.pattern}, "the pattern cannot be used"
            elif isinstance(task.check, JsonShape):
                request, what = {"kind": "check_schema", "schema": task.check.schema}, "the schema is no JSON Schema"
            if request is None:
                continue
            found = self._child.ask(request)
            if "error" in found:
                raise InputError(f"{name}, line {task.line}: {what}", why=str(found["error"]))

    def _pattern(self, check: Pattern, answer: str) -> Judgement:
        found = self._child.ask({"kind": "regex", "pattern": check.pattern, "text": answer[:_MAX_ANSWER]})
        if "error" in found:
            return Judgement(None, f"not judged: {found['error']}")
        return RIGHT if found["ok"] else Judgement(0.0, "the pattern matches nowhere")

    def _shape(self, check: JsonShape, answer: str) -> Judgement:
        is_there, value = find_json(answer)
        if not is_there:
            return Judgement(0.0, "no JSON in the answer")
        found = self._child.ask({"kind": "validate", "schema": check.schema, "value": value})
        if "error" in found:
            return Judgement(None, f"not judged: {found['error']}")
        if not found["ok"]:
            return Judgement(0.0, str(found["reason"]))
        if check.has_expected and not _same(value, check.expected):
            return Judgement(0.0, f"{json.dumps(value, ensure_ascii=False)[:80]} instead of what is expected")
        return RIGHT

    def _code(self, check: Code, answer: str) -> Judgement:
        if not self._allow_code:
            return Judgement(None, "not judged: it needs --allow-code")
        from advisor.trial.code_running import run_code

        return run_code(answer, check)


_HERE: dict[type, Callable[[Any, str], Judgement]] = {
    Exact: judge_exact,
    Contains: judge_contains,
    Numeric: judge_numeric,
    Choice: judge_choice,
}


def _same(value: Any, expected: Any) -> bool:
    """Equal as JSON: 1 is 1.0, but true is not 1."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, dict) and isinstance(expected, dict):
        return value.keys() == expected.keys() and all(_same(value[key], expected[key]) for key in value)
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(_same(a, b) for a, b in zip(value, expected, strict=True))
    return bool(value == expected)


class _Child:
    """The checker, started when it is needed and killed when it takes too long."""

    def __init__(self, time_limit_s: float) -> None:
        self._time_limit_s = time_limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._has_validator = False

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The checker's answer, or an error in words."""
        try:
            line = json.dumps(request).encode("utf-8", "surrogatepass") + b"\n"
        except RecursionError:
            return {"error": "nested too deeply"}
        is_new = self._process is None
        process = self._process = self._process or _start()
        limit = self._time_limit_s + (_START_S if self._imports(request) or is_new else 0.0)
        late = threading.Timer(limit, process.kill)
        late.start()
        try:
            stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            stdin.write(line)
            stdin.flush()
            answer = stdout.readline()
        except OSError:
            answer = b""
        finally:
            was_late = not late.is_alive() or late.finished.is_set()
            late.cancel()
        if answer.endswith(b"\n"):  # else it was killed amid its answer
            found: dict[str, Any] = json.loads(answer)
            return found
        self.close()
        if not is_new and not was_late:
            return self.ask(request)  # the time limit of the request before ended it just after its answer
        return {"error": f"took longer than {self._time_limit_s:g} s" if was_late else "the checker broke"}

    def _imports(self, request: dict[str, Any]) -> bool:
        """Whether the child has to import its validator first, which takes longer than the check."""
        had = self._has_validator or request["kind"] not in ("check_schema", "validate")
        self._has_validator = self._has_validator or not had
        return not had

    def close(self) -> None:
        process, self._process, self._has_validator = self._process, None, False
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # a request was still in the buffer of a dead child


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(_CHECKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_env(os.environ),
        start_new_session=True,
    )
