"""GGUF headers as trees and back; what is written can be wrong in every field."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from tests.fuzz.codecs import Tree

_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST = 4096


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.raw, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        length = self.take("Q")
        if length > len(self.raw) - self.at:
            raise ValueError("a string beyond the end")
        found = self.raw[self.at : self.at + length]
        self.at += length
        return found.decode("utf-8", "surrogateescape")

    def value(self, kind: int) -> Tree:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            inner, length = self.take("I"), self.take("Q")
            if length > _MOST:
                raise ValueError("a long array")
            return {"of": inner, "items": [self.value(inner) for _ in range(length)]}
        return self.take(_CODES[kind])


@dataclass(frozen=True)
class Gguf:
    """A header, and behind it zeros."""

    def decode(self, raw: bytes) -> Tree:
        reader = _Reader(raw)
        try:
            magic, version = reader.take("4s"), reader.take("I")
            n_rows, n_pairs = reader.take("Q"), reader.take("Q")
            if magic != b"GGUF" or max(n_rows, n_pairs) > _MOST:
                raise ValueError("no GGUF header")
            pairs = []
            for _ in range(n_pairs):
                key, kind = reader.string(), reader.take("I")
                pairs.append({"key": key, "kind": kind, "value": reader.value(kind)})
            rows = [self._row(reader) for _ in range(n_rows)]
        except (struct.error, KeyError, RecursionError) as error:
            raise ValueError("no sound header") from error
        return {"version": version, "pairs": pairs, "rows": rows}

    def _row(self, reader: _Reader) -> Tree:
        name, n = reader.string(), reader.take("I")
        if n > 8:
            raise ValueError("many dimensions")
        shape = [reader.take("Q") for _ in range(n)]
        return {"name": name, "shape": shape, "type": reader.take("I"), "offset": reader.take("Q")}

    def encode(self, tree: Tree) -> bytes:
        tree = tree if isinstance(tree, dict) else {}
        pairs, rows = _list(tree.get("pairs")), _list(tree.get("rows"))
        n_rows, n_pairs = tree.get("n_rows", len(rows)), tree.get("n_pairs", len(pairs))
        head = b"GGUF" + _number("I", tree.get("version", 3)) + _number("Q", n_rows) + _number("Q", n_pairs)
        return head + b"".join(map(_pair, pairs)) + b"".join(map(_row, rows))


def _list(value: Tree) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(code: str, value: Tree) -> bytes:
    size = struct.calcsize("<" + code)
    try:
        return struct.pack("<" + code, value)
    except (struct.error, OverflowError, TypeError):
        number = value if isinstance(value, int) else hash(str(value))
        return (number & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _string(value: Tree) -> bytes:
    raw = str(value).encode("utf-8", "surrogatepass" if not _has_escapes(str(value)) else "surrogateescape")
    return struct.pack("<Q", len(raw)) + raw


def _has_escapes(text: str) -> bool:
    found = [c for c in text if 0xD800 <= ord(c) <= 0xDFFF]
    return bool(found) and all(0xDC80 <= ord(c) <= 0xDCFF for c in found)


def _value(kind: Tree, value: Tree) -> bytes:
    if kind == _STRING:
        return _string(value)
    if kind == _ARRAY:
        value = value if isinstance(value, dict) else {"of": _STRING, "items": _list(value)}
        inner, items = value.get("of", _STRING), _list(value.get("items"))
        head = _number("I", inner) + _number("Q", value.get("n", len(items)))
        return head + b"".join(_value(inner, item) for item in items)
    return _number(_CODES.get(kind, "I") if isinstance(kind, int) else "I", value)


def _pair(pair: Tree) -> bytes:
    pair = pair if isinstance(pair, dict) else {}
    kind = pair.get("kind", 4)
    return _string(pair.get("key", "")) + _number("I", kind) + _value(kind, pair.get("value", 0))


def _row(row: Tree) -> bytes:
    row = row if isinstance(row, dict) else {}
    shape = _list(row.get("shape"))
    head = _string(row.get("name", "")) + _number("I", row.get("dimensions", len(shape)))
    dimensions = b"".join(_number("Q", length) for length in shape)
    return head + dimensions + _number("I", row.get("type", 0)) + _number("Q", row.get("offset", 0))
