"""Reads the header of a GGUF file that nobody vouches for.

Every count and length is checked against what is left of the file before anything is allocated for it, so time
and memory are bounded whatever the file says. The data of the tensors is never touched.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Collection
from pathlib import Path

from advisor.domain.blueprint import MetadataScalar, MetadataValue
from advisor.errors import InputError
from advisor.gguf import format as f
from advisor.gguf.header import ArraySummary, GgufHeader
from advisor.gguf.source import ByteSource, Cursor, FileSource
from advisor.gguf.table import read_table
from advisor.units import counted

__all__ = ["ArraySummary", "GgufHeader", "parse_header", "read_header"]

_MIN_PAIR_BYTES = 8 + 1 + 4 + 1
_MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8
_OTHER_FORMATS = {
    b"\x80\x02": "a PyTorch checkpoint",
    b"PK\x03\x04": "a PyTorch checkpoint or another zip archive",
    b"ggjt": "an old GGML file from before GGUF",
    b"tjgg": "an old GGML file from before GGUF",
    b"lmgg": "an old GGML file from before GGUF",
    b"version https://git-lfs": "a Git LFS pointer, not the file it points to",
    b"<": "a web page",
    b"{": "a JSON document",
}


def read_header(path: Path, *, keep: Collection[str] = ()) -> GgufHeader:
    """The header of a local file; `keep` names arrays whose elements are wanted whatever their length.

    Raises InputError, with the byte offset, for anything that is not a sound little-endian GGUF file.
    """
    try:
        size, mode = path.stat().st_size, path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is not a file", hint="Give the path of a .gguf file.")
        with path.open("rb", buffering=0) as stream:
            return parse_header(FileSource(stream, str(path), size), keep=keep)
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror or str(error)) from error


def parse_header(
    source: ByteSource, *, keep: Collection[str] = (), chunk_bytes: int = f.LOCAL_CHUNK_BYTES
) -> GgufHeader:
    """The header at the beginning of any source of bytes, read in chunks. Raises InputError as `read_header` does."""
    cursor = Cursor(source, chunk_bytes=chunk_bytes)
    version = _read_version(cursor)
    n_tensors = _read_count(cursor, "tensors", f.MAX_TENSORS, _MIN_TENSOR_BYTES)
    n_pairs = _read_count(cursor, "metadata pairs", f.MAX_PAIRS, _MIN_PAIR_BYTES)
    metadata = _MetadataReader(cursor, frozenset(keep)).read(n_pairs)
    alignment = _alignment(cursor, metadata)
    tensors, offsets, data_offset = read_table(cursor, n_tensors, alignment)
    return GgufHeader(version, metadata, tensors, offsets, alignment, data_offset, source.size)


def _read_version(cursor: Cursor) -> int:
    if cursor.bytes_left == 0:
        cursor.fail("the file is empty", hint="Download or copy it again.")
    start = cursor.take(min(32, cursor.bytes_left))
    if not start.startswith(f.MAGIC):
        known = next((text for magic, text in _OTHER_FORMATS.items() if start.startswith(magic)), None)
        cursor.fail("no GGUF magic" + (f" (it looks like {known})" if known else ""), at=0)
    cursor.offset = 4
    version = cursor.u32()
    if version in f.READ_VERSIONS:
        return version
    if version & 0xFFFF == 0 and version:
        cursor.fail("big-endian files are not supported", at=4, hint="Use the little-endian file.")
    cursor.fail(f"GGUF version {version} is not supported, only 2 and 3", at=4)


def _read_count(cursor: Cursor, what: str, limit: int, min_bytes: int) -> int:
    at, count = cursor.offset, cursor.u64()
    if count > limit:
        cursor.fail(f"{count} {what} announced, more than {limit}", at=at)
    if count * min_bytes > cursor.bytes_left:
        cursor.fail(f"{count} {what} announced, but only {counted(cursor.bytes_left, 'byte')} follow", at=at)
    return count


def _alignment(cursor: Cursor, metadata: dict[str, MetadataValue | ArraySummary]) -> int:
    value = metadata.get(f.ALIGNMENT_KEY, f.DEFAULT_ALIGNMENT)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0 or value & (value - 1):
        cursor.fail(f"{f.ALIGNMENT_KEY} is no power of two")
    return value


class _MetadataReader:
    """Reads the pairs and keeps account of the text and the elements that stay in memory."""

    def __init__(self, cursor: Cursor, keep: frozenset[str]) -> None:
        self._cursor = cursor
        self._keep = keep
        self._string_bytes = 0
        self._kept_string_bytes = 0
        self._n_strings = 0
        self._n_kept = 0

    def read(self, n_pairs: int) -> dict[str, MetadataValue | ArraySummary]:
        metadata: dict[str, MetadataValue | ArraySummary] = {}
        for _ in range(n_pairs):
            at = self._cursor.offset
            key = self._key()
            if key in metadata:
                self._cursor.fail(f"key {key[:80]!r} stands twice", at=at)
            kind = self._type()
            metadata[key] = self._array(key) if kind is f.ValueType.ARRAY else self._scalar(kind)
        return metadata

    def _key(self) -> str:
        at = self._cursor.offset
        raw = self._string(f.MAX_KEY_BYTES)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._cursor.fail("a metadata key is not UTF-8", at=at)
        if not text:
            self._cursor.fail("a metadata key is empty", at=at)
        return text

    def _type(self) -> f.ValueType:
        at, number = self._cursor.offset, self._cursor.u32()
        try:
            return f.ValueType(number)
        except ValueError:
            self._cursor.fail(f"unknown value type {number}", at=at)

    def _string(self, limit: int = f.MAX_KEPT_STRING_BYTES) -> bytes:
        at, length = self._cursor.offset, self._cursor.u64()
        if length > limit:
            self._cursor.fail(f"a string of {length} bytes, more than {limit}", at=at)
        self._string_bytes += length
        self._kept_string_bytes += length
        if self._kept_string_bytes > f.MAX_KEPT_STRING_BYTES:
            self._cursor.fail(f"more than {f.MAX_KEPT_STRING_BYTES} bytes of text", at=at)
        return self._cursor.take(length)

    def _scalar(self, kind: f.ValueType) -> MetadataScalar:
        if kind is f.ValueType.STRING:
            # llama.cpp loads a file whose description is broken UTF-8, so the header stays readable here too.
            return self._string().decode("utf-8", errors="replace")
        return self._numbers(kind, 1)[0]

    def _array(self, key: str) -> MetadataValue | ArraySummary:
        at = self._cursor.offset
        kind, length = self._type(), self._cursor.u64()
        if kind is f.ValueType.ARRAY:
            self._cursor.fail(f"{key[:80]!r} is an array of arrays, which is not supported", at=at)
        least = f.VALUE_BYTES.get(kind, 8)
        if length * least > self._cursor.bytes_left:
            self._cursor.fail(f"an array of {length} elements, but {self._cursor.bytes_left} bytes left", at=at)
        if kind is f.ValueType.STRING:
            self._count_strings(length, at)
        if length > f.SHORT_ARRAY and key not in self._keep:
            return self._skip_array(kind, length)
        self._n_kept += length
        if self._n_kept > f.MAX_KEPT_ELEMENTS:
            self._cursor.fail(f"more than {f.MAX_KEPT_ELEMENTS} array elements", at=at)
        if kind is f.ValueType.STRING:
            return tuple([self._scalar(kind) for _ in range(length)])
        return self._numbers(kind, length)

    def _count_strings(self, length: int, at: int) -> None:
        self._n_strings += length
        if self._n_strings > f.MAX_STRINGS:
            self._cursor.fail(f"more than {f.MAX_STRINGS} strings", at=at)

    def _skip_array(self, kind: f.ValueType, length: int) -> ArraySummary:
        if kind is f.ValueType.STRING:
            left = f.MAX_STRING_BYTES - self._string_bytes
            self._string_bytes += self._cursor.skip_strings(length, left)
        else:
            self._cursor.skip(length * f.VALUE_BYTES[kind])
        return ArraySummary(kind.name.lower(), length)

    def _numbers(self, kind: f.ValueType, count: int) -> tuple[MetadataScalar, ...]:
        at = self._cursor.offset
        raw = self._cursor.take(count * f.VALUE_BYTES[kind])
        values: tuple[MetadataScalar, ...] = struct.unpack(f"<{count}{f.STRUCT_CODES[kind]}", raw)
        if kind is not f.ValueType.BOOL:
            return values
        if any(value not in (0, 1) for value in values):
            self._cursor.fail("a truth value that is neither 0 nor 1", at=at)
        return tuple([bool(value) for value in values])
