"""Models in several files, as `gguf-split` makes them: `name-00001-of-00003.gguf` and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from advisor.errors import InputError
from advisor.gguf.format import MAX_TENSORS
from advisor.gguf.header import GgufHeader
from advisor.gguf.reader import parse_header, read_header
from advisor.gguf.remote import CHUNK_BYTES, HttpSource, Open, shown_address, usual_limits

MAX_PARTS = 256
"""Parts of one model; the largest published have about thirty."""

_SPLIT_KEYS = ("split.no", "split.count", "split.tensors.count")
_PART = re.compile(
    r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<end>\.gguf(\?.*)?)", re.IGNORECASE | re.DOTALL
)


def read_model(path: Path) -> GgufHeader:
    """The header of a local model, all parts of it. Raises InputError naming a part that is missing or broken."""
    return _all_parts(str(path), lambda name: read_header(Path(name)))


def read_remote_model(url: str, *, open_url: Open | None = None) -> GgufHeader:
    """The header of a model on a web server. Raises NetworkError, and InputError for what is no GGUF file.

    `open_url` opens addresses in another way than a plain request does, for example with a login.
    """
    limits = usual_limits()

    def read(name: str) -> GgufHeader:
        return parse_header(HttpSource(name, open_url=open_url, limits=limits), chunk_bytes=CHUNK_BYTES)

    return _all_parts(url, read)


def _all_parts(name: str, read: Callable[[str], GgufHeader]) -> GgufHeader:
    first = read(name)
    count = first.metadata.get("split.count", 0)
    if not isinstance(count, int) or isinstance(count, bool) or count <= 1:
        return first
    parts: list[GgufHeader] = []
    for part, header in _names(name, first, count):
        parts.append(_of_part(header or read(part), is_first=not parts))
        if sum(len(part.tensors) for part in parts) > MAX_TENSORS:
            raise InputError(f"the parts of {shown_address(name)} hold more than {MAX_TENSORS} tensors")
    return _joined(name, parts)


def _of_part(header: GgufHeader, *, is_first: bool) -> GgufHeader:
    """What counts of a part: of hundreds of parts, each with a header that is as long as it may be, all would not fit
    in memory."""
    if is_first:
        return header
    return replace(header, metadata={key: header.metadata[key] for key in _SPLIT_KEYS if key in header.metadata})


def _names(name: str, known: GgufHeader, count: int) -> list[tuple[str, GgufHeader | None]]:
    match = _PART.fullmatch(name)
    shown = shown_address(name)
    if count > MAX_PARTS:
        raise InputError(f"{shown} has {count} parts", why=f"more than {MAX_PARTS} are not believed")
    if match is None or int(match["count"]) != count:
        raise InputError(
            f"{shown} is one of {count} parts, but its name does not say which",
            hint="Name the parts as they were published: …-00001-of-00003.gguf.",
        )
    number = int(match["number"])
    stem, end = match["stem"], match["end"]
    return [(f"{stem}-{i:05d}-of-{count:05d}{end}", known if i == number else None) for i in range(1, count + 1)]


def _joined(name: str, parts: list[GgufHeader]) -> GgufHeader:
    name = shown_address(name)
    for i, part in enumerate(parts):
        if part.metadata.get("split.no") != i:
            raise InputError(f"part {i + 1} of {name} is another part", hint="Download the parts again.")
    tensors = tuple([tensor for part in parts for tensor in part.tensors])
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise InputError(f"the parts of {name} hold the same tensor twice", hint="Download the parts again.")
    announced = parts[0].metadata.get("split.tensors.count")
    if announced != len(tensors):
        raise InputError(f"the parts of {name} hold {len(tensors)} tensors of {announced}")
    return replace(
        parts[0],
        tensors=tensors,
        offsets=tuple([offset for part in parts for offset in part.offsets]),
        file_bytes=sum(part.file_bytes for part in parts),
    )
