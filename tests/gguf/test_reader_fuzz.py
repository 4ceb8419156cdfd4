"""Whatever bytes come, the reader answers with a header or an InputError."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.gguf.reader import parse_header, read_header
from tests.gguf.making import ARRAY, STRING, U32, Made, Memory, Row, array, pair, string

RICH = Made(
    pairs=[
        pair("general.architecture", STRING, string("llama")),
        pair("general.alignment", U32, struct.pack("<I", 32)),
        pair("words", ARRAY, array(STRING, 3, string("a") + string("bc") + string(""))),
        pair("numbers", ARRAY, array(U32, 4, struct.pack("<4I", 1, 2, 3, 4))),
        pair("long", ARRAY, array(STRING, 1500, string("t") * 1500)),
    ],
    rows=[Row("a", (32, 2)), Row("b", (64, 4), 2, 256), Row("c", (256,), 14, 416)],
    data_bytes=1024,
).encode()
OUTCOMES = ("read", "refused")
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(raw: bytes) -> str:
    try:
        header = parse_header(Memory(raw))
    except InputError as error:
        return "refused" if "\n" not in str(error) else "refused in several lines"
    assert header.data_offset + header.tensor_bytes <= len(raw)
    return "read"


def test_the_unharmed_file_is_read() -> None:
    assert outcome(RICH) == "read"


@QUICK
@given(length=st.integers(0, len(RICH) - 1))
def test_truncated_anywhere_within_header_or_data(length: int) -> None:
    header = parse_header(Memory(RICH))
    end = max(o + t.n_bytes for o, t in zip(header.offsets, header.tensors, strict=True)) + header.data_offset
    assert outcome(RICH[:length]) == ("read" if length >= end else "refused")


@QUICK
@given(flips=st.lists(st.tuples(st.integers(0, len(RICH) - 1), st.integers(1, 255)), min_size=1, max_size=8))
def test_flipped_bytes(flips: list[tuple[int, int]]) -> None:
    raw = bytearray(RICH)
    for position, mask in flips:
        raw[position] ^= mask
    assert outcome(bytes(raw)) in OUTCOMES


@QUICK
@given(position=st.integers(0, len(RICH) - 8), number=st.integers(0, (1 << 64) - 1))
def test_any_number_anywhere(position: int, number: int) -> None:
    raw = bytearray(RICH)
    raw[position : position + 8] = struct.pack("<Q", number)
    assert outcome(bytes(raw)) in OUTCOMES


@QUICK
@given(tail=st.binary(max_size=400))
def test_random_bytes_behind_a_sound_beginning(tail: bytes) -> None:
    assert outcome(b"GGUF" + struct.pack("<IQQ", 3, 2, 3) + tail) in OUTCOMES


@QUICK
@given(raw=st.binary(max_size=200))
def test_random_files(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.gguf"
        path.write_bytes(raw)
        try:
            read_header(path)
        except InputError:
            return
        raise AssertionError("random bytes were read as a header")
