"""GGUF headers as trees and back; what is written can be wrong in every field."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from advisor.domain.ggml import GGML_TYPES_BY_ID
from advisor.gguf.format import ALIGNMENT_KEY, DEFAULT_ALIGNMENT
from tests.fuzz.codecs import BETWEEN, Tree

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
    """A header; and those of further parts of the file, under the key `next`.

    Where the tensors of a header lie one behind another, as they must, `laid` is true, and they do so again after a
    change of any shape. Whoever sets it to something else gets the offsets as they stand.
    """

    def decode(self, raw: bytes) -> Tree:
        first, *others = raw.split(BETWEEN)
        tree = self._decode(first)
        return {**tree, "next": [self._decode(part) for part in others]} if others else tree

    def _decode(self, raw: bytes) -> Tree:
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
        tree = {"version": version, "pairs": pairs, "rows": rows}
        return {**tree, "laid": True} if [row["offset"] for row in rows] == _offsets(tree) else tree

    def _row(self, reader: _Reader) -> Tree:
        name, n = reader.string(), reader.take("I")
        if n > 8:
            raise ValueError("many dimensions")
        shape = [reader.take("Q") for _ in range(n)]
        return {"name": name, "shape": shape, "type": reader.take("I"), "offset": reader.take("Q")}

    def encode(self, tree: Tree) -> bytes:
        tree = tree if isinstance(tree, dict) else {}
        return BETWEEN.join(self._encode(part) for part in [tree, *_list(tree.get("next"))])

    def _encode(self, tree: Tree) -> bytes:
        tree = tree if isinstance(tree, dict) else {}
        pairs, rows = _list(tree.get("pairs")), _list(tree.get("rows"))
        if tree.get("laid") is True:
            rows = [{**_dict(row), "offset": offset} for row, offset in zip(rows, _offsets(tree), strict=True)]
        n_rows, n_pairs = tree.get("n_rows", len(rows)), tree.get("n_pairs", len(pairs))
        head = b"GGUF" + _number("I", tree.get("version", 3)) + _number("Q", n_rows) + _number("Q", n_pairs)
        return head + b"".join(map(_pair, pairs)) + b"".join(map(_row, rows))


def _offsets(tree: dict[str, Any]) -> list[int]:
    """Where the tensors lie when each begins behind the one before."""
    given = [pair.get("value") for pair in map(_dict, _list(tree.get("pairs"))) if pair.get("key") == ALIGNMENT_KEY]
    alignment = given[0] if given and isinstance(given[0], int) and given[0] > 0 else DEFAULT_ALIGNMENT
    offsets, at = [], 0
    for row in map(_dict, _list(tree.get("rows"))):
        offsets.append(at)
        at += _n_bytes(row)
        at += -at % alignment
    return offsets


def _n_bytes(row: dict[str, Any]) -> int:
    kind = row.get("type")
    known = GGML_TYPES_BY_ID.get(kind if isinstance(kind, int) else 0, GGML_TYPES_BY_ID[0])
    n = 1
    for length in _list(row.get("shape")):
        n *= length if isinstance(length, int) and 0 < length < 1 << 64 else 1
    return known.n_bytes(n)


def _dict(value: Tree) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


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
