"""Files of a trial: tasks in three formats, results, the journal of answers, checks of answers; and recorded loads."""

from __future__ import annotations

import atexit
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from advisor.domain.trial.outcome import Answer
from advisor.errors import InputError
from advisor.service.planning import load_trace
from advisor.trial.checking import Judge
from advisor.trial.documents import read_evidence, read_result
from advisor.trial.journal import Answers, Journal
from advisor.trial.reading import read_tasks
from tests.fuzz.codecs import Csv, Json, JsonLines
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.shared import ROOT
from tests.trial.results import result_file

_TASKS = ROOT / "docs/examples/trial-200.jsonl"


def _tasks(raw: bytes, folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(raw)
    for task in read_tasks(path).tasks:
        assert task.question is not None


def tasks_jsonl(raw: bytes, folder: Path) -> None:
    """`trial TASKS.jsonl`."""
    _tasks(raw, folder, "tasks.jsonl")


def tasks_csv(raw: bytes, folder: Path) -> None:
    """`trial TASKS.csv` and `.tsv`; one that is refused as either is refused."""
    try:
        _tasks(raw, folder, "tasks.tsv")
    except InputError:
        _tasks(raw, folder, "tasks.csv")


def result(raw: bytes, folder: Path) -> None:
    """`recommend --trial FILE` and `trial judge FILE`."""
    path = folder / "result.json"
    path.write_bytes(raw)
    read_result(path)
    read_evidence(path)


def journal(raw: bytes, folder: Path) -> None:
    """The answers that an earlier trial kept. Lines get the checksum that lets them through, where they have none."""
    path = folder / "answers.jsonl"
    lines = [line if line[8:9] == b" " else b"%08x %s" % (zlib.crc32(line), line) for line in raw.split(b"\n")]
    path.write_bytes(b"\n".join(lines) + b"\n" + raw[:30])
    with Journal(path) as opened:
        known = Answers(opened)
        n_read = len(known._known)
        opened.append({"key": "a", "answer": {}})
        assert sum(1 for _ in opened.entries()) >= 1
    if not n_read:
        raise InputError("none of the lines is an answer")


_judge: Judge | None = None


def checks(raw: bytes, folder: Path) -> None:
    """Patterns and schemas of a file of tasks, tried as before a trial, and then on an answer."""
    global _judge
    path = folder / "tasks.jsonl"
    path.write_bytes(raw)
    tasks = read_tasks(path).tasks[:3]
    if _judge is None:
        _judge = Judge(time_limit_s=0.5)
        atexit.register(_judge.__exit__, None, None, None)  # its child is started once, not for every input
    for task in tasks:
        for answer in ("42", task.question, '{"a": [1, 2.0, null]}', "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"):
            found = _judge.judge(task.check, answer)
            assert found.score is None or 0 <= found.score <= 1
    _judge.verify(tasks, "tasks.jsonl")


def end_checks() -> None:
    """End the child of `checks`, which the next input would start again."""
    global _judge
    if _judge is not None:
        atexit.unregister(_judge.__exit__)
        _judge.__exit__(None, None, None)
        _judge = None


def load(raw: bytes, folder: Path) -> None:
    """`plan --trace FILE`."""
    path = folder / "trace.csv"
    path.write_bytes(raw)
    found = load_trace(path)
    assert found.n_requests > 0
    assert found.seconds > 0


_EVERY_CHECK = (
    {"id": "1", "prompt": "?", "expected": "a", "check": "exact"},
    {"id": 2, "prompt": "?", "expected": ["a", "b"], "check": {"kind": "contains", "amount": "share"}},
    {"id": "3", "prompt": "?", "check": {"kind": "regex", "pattern": "a+$"}},
    {"id": "4", "prompt": "?", "expected": 3, "check": {"kind": "numeric", "tolerance": 1, "which": "first"}},
    {"id": "5", "prompt": "?", "expected": "c", "check": {"kind": "choice", "options": 3}},
    {"id": "6", "prompt": "?", "expected": [1], "check": {"kind": "json_schema", "schema": {"type": "array"}}},
    {"id": "7", "prompt": "?", "check": {"kind": "code", "test": "assert f() == 1"}},
    {"id": "8", "prompt": "?", "check": "none"},
    {"id": "9", "system": "Be brief.", "prompt": "?", "max_tokens": 5, "stop": "\n", "tags": ["x"]},
    {"id": "10", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                              {"role": "user", "content": "c"}]},
)  # fmt: skip

_SAMPLES = (
    {"doc_id": 0, "doc": {"question": "2+2"}, "target": "so 4\n#### 4",
     "arguments": {"gen_args_0": {"arg_0": "Q: 2+2\nA:", "arg_1": {"until": ["Q:"], "max_gen_toks": 99}}}},
    {"doc_id": 1, "doc": {"id": "x"}, "target": 1, "filter": "none",
     "arguments": [["The sky is", " green"], ["The sky is", " blue"]], "acc": 1.0},
    {"doc_id": 2, "doc": {}, "target": ["Paris", "paris"], "arguments": [["Capital?", {"until": []}]]},
    {"doc": {"id": "q7"}, "target": "B", "filter": "strict",
     "arguments": [["Q", "A"], ["Q", "B"], ["Q", "C"]]},
)  # fmt: skip


def _lines(documents: Sequence[object]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in documents).encode()


def _jsonl_seeds() -> Sequence[bytes]:
    # Every check by itself, except the one that runs code: changed code is no input of a parser.
    alone = [_lines([one]) for one in _EVERY_CHECK if one["id"] != "7"]
    return [_lines(_EVERY_CHECK), *alone, b"".join(_TASKS.read_bytes().splitlines(keepends=True)[:20])]


def _csv_seeds() -> Sequence[bytes]:
    every = b"id,prompt,system,expected,check,max_tokens,tags\n1,What?,Be brief.,4,numeric,16,a;b\n"
    more = b'2,"a ""quoted"", cell\nin two lines",,x,"{""kind"": ""contains"", ""amount"": ""any""}",,\n'
    tabs = b"prompt\texpected\nWhat?\t4\n\nWhy?\t\n"
    return [every + more, tabs, b"\xef\xbb\xbfprompt\n?\n"]


def _sample_seeds() -> Sequence[bytes]:
    return [_lines(_SAMPLES), *(_lines([one]) for one in _SAMPLES)]


@cache
def _result_seeds() -> Sequence[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = result_file(Path(folder) / "result.json", {"1": ("a", "b"), "2": ("c", "d")})
        document = json.loads(path.read_bytes())
    for one in document["contestants"]:
        one |= {"model": "mistral-7b-instruct-v0.3", "quantization": "Q4_K_M", "judged": 2, "total": 1.5}
    return [
        path_bytes for path_bytes in (json.dumps(document).encode(), json.dumps({**document, "notes": []}).encode())
    ]


def _journal_seeds() -> Sequence[bytes]:
    answer = asdict(Answer("x", 1, 2, "end", 1.0, 2.0, "applied"))
    return [_lines([{"key": "a" * 64, "answer": answer}, {"key": "b", "answer": {}}, {"key": 1}, []])]


def _trace_seeds() -> Sequence[bytes]:
    return [
        b"arrival_s,prompt_tokens,answer_tokens\n0.0,100,200\n0.5,300,10\n90,1,1\n",
        b"1764300000,5,5\n1764300060.5,7,7\n",
        b"\xef\xbb\xbf0,1,2\r\n1e3,2,3\r\n",
    ]


_WORDS = (
    "id", "prompt", "system", "messages", "role", "content", "user", "assistant", "expected", "check", "kind", "exact",
    "contains", "regex", "numeric", "choice", "json_schema", "code", "none", "pattern", "schema", "type", "$ref", "#",
    "http://127.0.0.1:9/schema", "properties", "patternProperties", "items", "anyOf", "enum", "minimum", "format",
    "tolerance", "relative_tolerance", "which", "last", "options", "test", "timeout_s", "amount", "share", "ignore_case",
    "max_tokens", "stop", "tags", "$defs", "$schema", "unevaluatedProperties", "(a*)*b", "(?=", "[[:alpha:]]", r"\p{L}",
)  # fmt: skip
_SAMPLE_WORDS = (
    "doc_id", "doc", "id", "target", "arguments", "gen_args_0", "arg_0", "arg_1", "until", "max_gen_toks", "max_tokens",
    "filter", "resps", "filtered_resps", "acc", "#### 1e400", "#### nan", "prompt", "messages",
)  # fmt: skip
_RESULT_WORDS = (
    "schema_version", "kind", "trial", "complete", "tasks", "name", "sha256", "n", "contestants", "model", "quantization",
    "judged", "total", "answers", "id", "question", "by", "score", "answer", "key", "text", "ending", "ttft_ms", "pairs",
)  # fmt: skip

HARNESSES = (
    Harness(
        "tasks-jsonl",
        "files of tasks (JSON lines)",
        "`trial.reading.read_tasks`",
        tasks_jsonl,
        _jsonl_seeds,
        JsonLines(),
        _WORDS,
    ),
    Harness(
        "tasks-csv",
        "files of tasks (CSV and TSV)",
        "`trial.reading.read_tasks`",
        tasks_csv,
        _csv_seeds,
        Csv(),
        _WORDS,
    ),
    Harness(
        "tasks-harness",
        "samples of lm-evaluation-harness (JSON lines)",
        "`trial.reading.read_tasks`",
        tasks_jsonl,
        _sample_seeds,
        JsonLines(),
        _SAMPLE_WORDS,
    ),
    Harness(
        "trial-result",
        "results of a trial (JSON)",
        "`trial.documents.read_result`, `read_evidence`",
        result,
        _result_seeds,
        Json(),
        _RESULT_WORDS,
    ),
    Harness(
        "trial-journal",
        "the answers kept of an earlier trial",
        "`trial.journal.Journal`, `Answers`",
        journal,
        _journal_seeds,
        JsonLines(),
        _RESULT_WORDS,
    ),
    Harness(
        "trial-checks",
        "patterns and JSON schemas in files of tasks",
        "`trial.checking.Judge.verify`, `Judge.judge` (the patterns and schemas in its child)",
        checks,
        _jsonl_seeds,
        JsonLines(),
        _WORDS,
        starts=True,
    ),
    Harness(
        "load-trace",
        "recorded loads (CSV)",
        "`service.planning.load_trace`",
        load,
        _trace_seeds,
        Csv(),
        ("arrival_s", "prompt_tokens", "answer_tokens", "1e308", "-0", "nan", "1e-320"),
    ),
)
