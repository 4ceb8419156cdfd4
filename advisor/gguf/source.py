"""Bytes to parse: anything with a length that can be read at an offset, and a bounded cursor over it."""

from __future__ import annotations

import struct
from typing import BinaryIO, NoReturn, Protocol

from advisor.errors import InputError
from advisor.gguf.format import LOCAL_CHUNK_BYTES
from advisor.units import counted

_U64 = struct.Struct("<Q")
_DAMAGED = "Download or copy the file again; it is incomplete or damaged."


class ByteSource(Protocol):
    """A file, or ranges of a remote one."""

    @property
    def name(self) -> str:
        """What stands for the source in errors."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; fewer only at the end."""


class FileSource:
    """An open local file."""

    def __init__(self, stream: BinaryIO, name: str, size: int) -> None:
        self._stream = stream
        self.name = name
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(length)


class Cursor:
    """Reads forward through a source and never past its end. All failures are InputError with the byte offset."""

    def __init__(self, source: ByteSource, *, chunk_bytes: int = LOCAL_CHUNK_BYTES) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self._window = b""
        self._window_start = 0
        self.offset = 0

    @property
    def file_bytes(self) -> int:
        return self._source.size

    @property
    def bytes_left(self) -> int:
        return self._source.size - self.offset

    def fail(self, why: str, *, at: int | None = None, hint: str | None = None) -> NoReturn:
        """Raise InputError for the source, naming the byte offset."""
        offset = self.offset if at is None else at
        raise InputError(f"{self._source.name} is no usable GGUF file", why=f"{why} at byte {offset}", hint=hint)

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.bytes_left:
            self.fail(f"{length} bytes wanted, {self.bytes_left} left", hint=_DAMAGED)
        start = self._load(length)
        self.offset += length
        return self._window[start : start + length]

    def skip(self, length: int) -> None:
        """Pass over bytes without reading them."""
        if length > self.bytes_left:
            self.fail(f"{length} bytes announced, {self.bytes_left} left", hint=_DAMAGED)
        self.offset += length

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def skip_strings(self, count: int, max_bytes: int) -> int:
        """Pass over strings that have at most `max_bytes` bytes together; returns how many they had."""
        used = 0
        while count:
            if self.bytes_left < 8 * count:
                self.fail(f"{count} strings announced, {self.bytes_left} bytes left", hint=_DAMAGED)
            start = at = self._load(8)
            last, passed = len(self._window) - 8, count
            while count and at <= last:
                at += 8 + _U64.unpack_from(self._window, at)[0]
                count -= 1
            used += at - start - 8 * (passed - count)
            if used > max_bytes:
                self.fail(f"more than {max_bytes} bytes of text")
            self.skip(at - start)
        return used

    def _load(self, length: int) -> int:
        """Have at least `length` bytes from the offset on in the window; returns where in it they begin."""
        start = self.offset - self._window_start
        if start < 0 or start + length > len(self._window):
            wanted = min(max(length, self._chunk_bytes), self.bytes_left)
            self._window = self._source.read_at(self.offset, wanted)
            self._window_start, start = self.offset, 0
            if len(self._window) < length:
                self.fail(f"the file ends {counted(length - len(self._window), 'byte')} early", hint=_DAMAGED)
        return start
