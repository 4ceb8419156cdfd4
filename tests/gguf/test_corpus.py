"""Headers that fuzzing found worth keeping: each is read and sized, or refused, in little time and memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from advisor.domain.footprint import footprint
from advisor.domain.header import max_context_of, shape_of, weights_of
from advisor.domain.sizing import SizeRequest, requested_placement
from advisor.errors import InputError
from advisor.gguf.reader import parse_header

CORPUS = sorted((Path(__file__).parents[1] / "data" / "gguf_corpus").glob("*.bin"))
SEEDS = [path for path in CORPUS if not set(path.stem) <= set("0123456789abcdef")]
MOST_BYTES = 256 << 20
MOST_SECONDS = 2.0


class Endless:
    """A header with a file behind it that is long enough for any table."""

    name = "corpus"

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.size = len(raw) + (1 << 40)

    def read_at(self, offset: int, length: int) -> bytes:
        found = self._raw[offset : offset + length]
        return found + bytes(max(0, min(length, 1 << 20) - len(found)))


def size_of(raw: bytes) -> int:
    header = parse_header(Endless(raw))
    shape = shape_of(header.metadata, header.tensors)
    placement = requested_placement(SizeRequest(), shape, max_context_of(header.metadata), ())
    return footprint(shape, weights_of(header.tensors), placement, ()).total_bytes


def outcome(raw: bytes) -> int | None:
    try:
        return size_of(raw)
    except InputError:
        return None


def test_no_header_takes_longer_than_it_may() -> None:
    assert len(CORPUS) > 30
    for path in CORPUS:
        started = time.process_time()
        outcome(path.read_bytes())
        assert time.process_time() - started < MOST_SECONDS, path.name


def test_no_header_takes_more_memory_than_it_may() -> None:
    tracemalloc.start()
    try:
        for path in CORPUS:
            outcome(path.read_bytes())
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", SEEDS, ids=[path.stem for path in SEEDS])
def test_honest_headers_among_them_are_sized(path: Path) -> None:
    found = outcome(path.read_bytes())
    assert found is not None
    assert found > 1 << 20


@pytest.mark.parametrize("path", SEEDS, ids=[path.stem for path in SEEDS])
def test_no_header_cut_off_anywhere_is_sized(path: Path) -> None:
    raw = path.read_bytes()
    for length in range(0, len(raw) - 32, 37):
        assert outcome(raw[:length]) is None
