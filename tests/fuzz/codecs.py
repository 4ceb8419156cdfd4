"""Inputs as trees of plain values and back, so that a change can keep the syntax."""

from __future__ import annotations

import datetime
import json
import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

import tomli

Tree = Any
"""Dicts, lists and scalars."""


class Codec(Protocol):
    """Between bytes and trees."""

    def decode(self, raw: bytes) -> Tree:
        """Raises ValueError where the bytes have no such syntax."""

    def encode(self, tree: Tree) -> bytes:
        """Bytes for any tree, sound or not."""


@dataclass(frozen=True)
class Json:
    """One JSON document."""

    def decode(self, raw: bytes) -> Tree:
        try:
            return json.loads(raw)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def encode(self, tree: Tree) -> bytes:
        return json.dumps(tree, default=str).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class JsonLines:
    """A list of JSON documents, one a line."""

    def decode(self, raw: bytes) -> Tree:
        return [Json().decode(line) for line in raw.split(b"\n") if line.strip()]

    def encode(self, tree: Tree) -> bytes:
        lines = tree if isinstance(tree, list) else [tree]
        return b"".join(Json().encode(line) + b"\n" for line in lines)


@dataclass(frozen=True)
class Toml:
    """A TOML document; every table is written inline, which means the same."""

    keeps_first_line: bool = False
    """The first line is a comment that the harness reads; it is kept under the key `#`."""

    def decode(self, raw: bytes) -> Tree:
        text = raw.decode("utf-8")
        try:
            tree = tomli.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return {"#": text.partition("\n")[0], **tree} if self.keeps_first_line else tree

    def encode(self, tree: Tree) -> bytes:
        if not isinstance(tree, dict):
            tree = {"value": tree}
        head = str(tree.get("#", "")) + "\n" if self.keeps_first_line else ""
        lines = [f"{_toml_key(key)} = {_toml(value)}\n" for key, value in tree.items() if key != "#"]
        return (head + "".join(lines)).encode("utf-8", "surrogatepass")


def _toml(value: Tree) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return json.dumps("none" if value is None else str(value), ensure_ascii=False)


def _toml_key(key: object) -> str:
    text = str(key)
    return text if text.isascii() and text.replace("_", "a").isalnum() else json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class Csv:
    """Rows of cells."""

    delimiter: str = ","

    def decode(self, raw: bytes) -> Tree:
        import csv
        import io

        text = raw.decode("utf-8")
        try:
            return [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)]
        except csv.Error as error:
            raise ValueError(str(error)) from error

    def encode(self, tree: Tree) -> bytes:
        rows = tree if isinstance(tree, list) else [tree]
        return "".join(self._row(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")

    def _row(self, row: Tree) -> str:
        cells = [str(cell) for cell in row] if isinstance(row, list) else [str(row)]
        quoted = ['"' + cell.replace('"', '""') + '"' if set(cell) & set('",\t\n') else cell for cell in cells]
        return self.delimiter.join(quoted)


BETWEEN = b"\n%%%%\n"


@dataclass(frozen=True)
class Http:
    """Answers of a server, one after another: status line, header lines, body."""

    body: Codec | None = None
    """The syntax of the body, where it has it."""

    def decode(self, raw: bytes) -> Tree:
        answers = []
        for part in raw.split(BETWEEN):
            head, blank, body = part.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            answers.append({"lines": lines, "body": self._body(body), "ends": bool(blank)})
        return answers

    def _body(self, raw: bytes) -> Tree:
        try:
            if self.body is not None and raw:
                return self.body.decode(raw)
        except ValueError:
            pass  # another body
        return raw.decode("latin-1")

    def encode(self, tree: Tree) -> bytes:
        answers = tree if isinstance(tree, list) else [tree]
        return BETWEEN.join(self._answer(answer) for answer in answers)

    def _answer(self, answer: Tree) -> bytes:
        if not isinstance(answer, dict):
            return str(answer).encode("latin-1", "replace")
        lines = answer.get("lines")
        head = "\r\n".join(map(str, lines if isinstance(lines, list) else [lines]))
        body = answer.get("body", "")
        is_tree = self.body is not None and isinstance(body, dict | list)
        raw = self.body.encode(body) if is_tree and self.body else str(body).encode("latin-1", "replace")
        return head.encode("latin-1", "replace") + (b"\r\n\r\n" if answer.get("ends") else b"") + raw


_TOKEN = re.compile(r"\w+|\s+|\{[{%]-?|-?[%}]\}|.", re.DOTALL)


@dataclass(frozen=True)
class Words:
    """Text as a list of words, white space and marks."""

    def decode(self, raw: bytes) -> Tree:
        return _TOKEN.findall(raw.decode("utf-8"))

    def encode(self, tree: Tree) -> bytes:
        words = tree if isinstance(tree, list) else [tree]
        return "".join(map(str, words)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Lines:
    """Text as a list of lines, each a list of words."""

    def decode(self, raw: bytes) -> Tree:
        return [Words().decode(line) for line in raw.split(b"\n")]

    def encode(self, tree: Tree) -> bytes:
        lines = tree if isinstance(tree, list) else [tree]
        return b"\n".join(Words().encode(line) for line in lines)
