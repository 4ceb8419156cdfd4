"""Reading a file of tasks: our own JSON lines, lm-evaluation-harness samples, or CSV with a header."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, AnyStr

from pydantic import ValidationError

from advisor._json import check_json_cost
from advisor.domain.trial.tasks import Task, TaskSet
from advisor.errors import InputError
from advisor.files import read_bounded
from advisor.schema_errors import explained
from advisor.text import one_line
from advisor.trial.harness_samples import is_sample, sample_line
from advisor.trial.schema import SIMPLE, TaskLine
from advisor.units import MIB, format_bytes

MAX_BYTES = 32 * MIB
"""Longer files are refused: everything is held in memory."""
MAX_LINE_BYTES = 8 * MIB
MAX_TASKS = 100_000
"""A model takes a second or more for each."""
_COLUMNS = ("id", "prompt", "system", "expected", "check", "max_tokens", "tags")
_HINT = "docs/trial.md shows the formats."


def read_tasks(path: Path) -> TaskSet:
    """The tasks of a file. Raises InputError that names the first line that cannot be used."""
    content = read_bounded(path, MAX_BYTES, hint=_HINT)
    _check_text(content, path)
    content_only = content.removeprefix(codecs.BOM_UTF8)
    if not content_only.strip():
        raise InputError(f"{path} has no tasks", why="the file is empty", hint=_HINT)
    notes: list[str] = []
    is_csv = path.suffix.lower() in (".csv", ".tsv")
    rows = _csv_rows(content_only, path) if is_csv else _json_rows(content_only, path)
    tasks, foreign = _tasks(rows, path, is_csv)
    if not tasks:
        raise InputError(f"{path} has no tasks", hint=_HINT)
    source = "CSV" if is_csv else "lm-evaluation-harness samples" if foreign else "JSON lines"
    if foreign:
        notes.append("answers are judged by this program's checks, not by the harness's filters and metrics")
    if any(kind == "choice" for kind in foreign):
        notes.append(
            "questions with options were scored by likelihood in the harness; here the model is asked for the letter"
        )
    return TaskSet(tuple(tasks), sha256(content).hexdigest(), source, tuple(notes))


def _check_text(content: bytes, path: Path) -> None:
    """Raise InputError for what is no UTF-8 text. The text as a whole is not kept: it may take four times the bytes."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: no UTF-8 text", why=f"byte {error.start} is not valid") from error


def _tasks(rows: Iterator[tuple[int, dict[str, Any]]], path: Path, is_csv: bool) -> tuple[list[Task], list[str]]:
    """The tasks, and for samples of the harness the kinds of their checks."""
    tasks: list[Task] = []
    lines: dict[str, int] = {}
    foreign: list[str] = []
    for number, raw in rows:
        place = f"{path}, line {number}"
        if not is_csv and is_sample(raw):
            raw, kind = _sample(raw, place)
            foreign.append(kind)
        task = _task(raw, number, place)
        if task.id in lines:
            raise InputError(f"{place}: the id {task.id!r} is already that of line {lines[task.id]}")
        lines[task.id] = number
        tasks.append(task)
        if len(tasks) > MAX_TASKS:
            hint = "Take a part of it, for example its first lines."
            raise InputError(f"{path} is too long", why=f"it has more than {MAX_TASKS:,} tasks", hint=hint)
    return tasks, foreign


def _sample(raw: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    try:
        return sample_line(raw)
    except ValueError as error:
        raise InputError(f"{place}: this sample cannot be asked", why=str(error)) from error


def _task(raw: dict[str, Any], number: int, place: str) -> Task:
    try:
        return TaskLine.model_validate(raw).task(number)
    except ValidationError as error:
        raise explained(error, TaskLine, raw, name=place) from error
    except ValueError as error:
        raise InputError(f"{place}: {error}", hint=_HINT) from error


def _json_rows(content: bytes, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    check_json_cost(content, name=str(path))
    for number, line in enumerate(_lines(io.BytesIO(content), path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            raw = json.loads(line, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise InputError(f"{place}: nested too deeply") from error
        except ValueError as error:
            raise InputError(f"{place}: no valid JSON", why=one_line(str(error)), hint=_HINT) from error
        if not isinstance(raw, dict):
            raise InputError(f"{place}: no JSON object", why=f"it is {_kind(raw)}", hint=_HINT)
        yield number, raw


def _lines(stream: IO[AnyStr], path: Path) -> Iterator[AnyStr]:
    """The lines, of which none can fill the memory. Raises InputError for one that is too long."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) >= MAX_LINE_BYTES:
            why = f"it has {format_bytes(MAX_LINE_BYTES)} or more"
            raise InputError(f"{path}, line {number}: the line is too long", why=why)
        yield line


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _kind(raw: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(raw), "a number")


def _csv_rows(content: bytes, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    reader = csv.reader(_lines(stream, path), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    csv.field_size_limit(MAX_LINE_BYTES)
    header: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{path}, line {number}: no valid CSV", why=str(error)) from error
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, path, number)
            continue
        if len(cells) > len(header):
            why = f"{len(cells)} cells for {len(header)} columns"
            raise InputError(f"{path}, line {number}: too many cells", why=why, hint="Quote cells with commas.")
        yield number, _csv_task(dict(zip(header, cells, strict=False)), number)


def _header(cells: list[str], path: Path, number: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if "prompt" not in names:
        why = f"line {number} has no column `prompt`"
        hint = f"The first line must name the columns: {', '.join(_COLUMNS)}; `prompt` is needed."
        raise InputError(f"{path} has no header", why=why, hint=hint)
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        hint = f"Known columns: {', '.join(_COLUMNS)}."
        raise InputError(f"{path}, line {number}: unknown column {one_line(unknown[0])!r}", hint=hint)
    if len(set(names)) < len(names):
        raise InputError(f"{path}, line {number}: a column is there twice")
    return names


def _csv_task(cells: dict[str, str], number: int) -> dict[str, Any]:
    """A task as a JSON line would have it: cells are texts, and an empty one is none."""
    found: dict[str, Any] = {key: value for key, value in cells.items() if value.strip()}
    found.setdefault("id", str(number))
    most = str(found.get("max_tokens", "")).strip()
    if re.fullmatch(r"\d{1,18}", most):  # Python refuses to read thousands of digits
        found["max_tokens"] = int(most)
    if "tags" in found:
        found["tags"] = [tag.strip() for tag in found["tags"].split(";") if tag.strip()]
    check = str(found.get("check", "exact" if "expected" in found else "none")).strip()
    found["check"] = _csv_check(check)
    return found


def _csv_check(text: str) -> Any:
    """A word such as `exact`, or a JSON object with the options of a check."""
    if text in SIMPLE or not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
