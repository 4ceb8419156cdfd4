from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from advisor.errors import InputError
from advisor.gguf import format as f
from advisor.gguf.reader import ArraySummary, parse_header, read_header
from advisor.gguf.source import Cursor, FileSource
from tests.gguf.making import ARRAY, BOOL, F32, STRING, U32, Made, Memory, Row, array, pair, string


def written(folder: Path, made: Made | bytes) -> Path:
    path = folder / "made.gguf"
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    return path


@pytest.fixture(scope="module")
def reference(smollm2: Path) -> Any:
    from gguf import GGUFReader

    return GGUFReader(smollm2)


def test_header_of_a_real_file_equals_that_of_the_reference_reader(smollm2: Path, reference: Any) -> None:
    header = read_header(smollm2)
    expected = {t.name: (tuple(map(int, t.shape)), t.tensor_type.name, int(t.n_bytes)) for t in reference.tensors}
    assert {t.name: (t.shape, t.ggml_type.name, t.n_bytes) for t in header.tensors} == expected
    assert header.data_offset == reference.data_offset
    assert header.alignment == reference.alignment
    starts = {t.name: header.data_offset + offset for t, offset in zip(header.tensors, header.offsets, strict=True)}
    assert starts == {t.name: int(t.data_offset) for t in reference.tensors}
    fields = {name: field for name, field in reference.fields.items() if not name.startswith("GGUF.")}
    assert set(header.metadata) == set(fields)
    for name, field in fields.items():
        value = header.metadata[name]
        if isinstance(value, ArraySummary):
            assert value.length == len(field.data)
            assert value.element_type == field.types[-1].name.lower()
        else:
            contents = field.contents()
            assert value == (tuple(contents) if isinstance(contents, list) else contents), name


def test_asked_for_arrays_are_kept_whole(smollm2: Path, reference: Any) -> None:
    key = "tokenizer.ggml.tokens"
    header = read_header(smollm2, keep=[key])
    kept = header.metadata[key]
    assert isinstance(kept, tuple)
    assert list(kept) == reference.fields[key].contents()
    assert isinstance(header.metadata["tokenizer.ggml.merges"], ArraySummary)


def test_version_2_reads_like_version_3(tmp_path: Path) -> None:
    assert read_header(written(tmp_path, Made(version=struct.pack("<I", 2)))).version == 2


def test_every_type_of_value_is_read(tmp_path: Path) -> None:
    values: dict[int, tuple[str, float]] = {
        0: ("B", 200),
        1: ("b", -3),
        2: ("H", 65535),
        3: ("h", -300),
        4: ("I", 1 << 31),
        5: ("i", -70000),
    }
    values |= {6: ("f", 0.5), 10: ("Q", 1 << 63), 11: ("q", -(1 << 62)), 12: ("d", 0.1)}
    pairs = [pair(f"k{kind}", kind, struct.pack("<" + code, value)) for kind, (code, value) in values.items()]
    pairs += [pair("yes", BOOL, b"\1"), pair("text", STRING, string("größe"))]
    pairs += [pair("numbers", ARRAY, array(U32, 2, struct.pack("<II", 7, 8)))]
    pairs += [pair("words", ARRAY, array(STRING, 2, string("a") + string(""))), pair("none", ARRAY, array(U32, 0, b""))]
    metadata = read_header(written(tmp_path, Made(pairs=pairs))).metadata
    assert {key: metadata[key] for key in metadata if key.startswith("k")} == {
        f"k{kind}": value for kind, (_, value) in values.items()
    }
    assert metadata["yes"] is True
    assert (metadata["text"], metadata["numbers"], metadata["words"], metadata["none"]) == (
        "größe",
        (7, 8),
        ("a", ""),
        (),
    )


def test_broken_text_in_a_value_does_not_make_a_file_unreadable(tmp_path: Path) -> None:
    pairs = [pair("general.name", STRING, string(b"caf\xe9"))]
    assert read_header(written(tmp_path, Made(pairs=pairs))).metadata["general.name"] == "caf�"


def test_a_file_may_have_metadata_only(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, Made(rows=[], data_bytes=0)))
    assert (header.tensors, header.tensor_bytes, header.architecture) == ((), 0, "llama")


def test_alignment_of_the_file_is_used(tmp_path: Path) -> None:
    pairs = [pair("general.alignment", U32, struct.pack("<I", 128))]
    header = read_header(written(tmp_path, Made(pairs=pairs, alignment=128)))
    assert (header.alignment, header.data_offset % 128) == (128, 0)


BAD_HEADERS: dict[str, tuple[Made | bytes, str]] = {
    "empty": (b"", "empty"),
    "short": (b"GGUF\3\0", "bytes wanted"),
    "lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
    "web page": (b"<!doctype html><title>404</title>" * 4, "web page"),
    "old ggml": (b"tjgg" + bytes(60), "before GGUF"),
    "version 1": (Made(version=struct.pack("<I", 1)), "version 1"),
    "version 9": (Made(version=struct.pack("<I", 9)), "version 9"),
    "big endian": (Made(version=struct.pack(">I", 3)), "big-endian"),
    "too many tensors": (Made(n_tensors=f.MAX_TENSORS + 1), "tensors announced"),
    "2^64 tensors": (Made(n_tensors=(1 << 64) - 1), "tensors announced"),
    "2^64 pairs": (Made(n_pairs=(1 << 64) - 1), "metadata pairs announced"),
    "more pairs than bytes": (Made(n_pairs=5000), "bytes follow"),
    "missing pair": (Made(n_pairs=2), "at byte"),
    "endless string": (Made(pairs=[pair("a", STRING, struct.pack("<Q", 1 << 62))]), "string of"),
    "string beyond the end": (Made(pairs=[pair("a", STRING, struct.pack("<Q", 5000))]), "bytes wanted"),
    "empty key": (Made(pairs=[pair("", U32, bytes(4))]), "key is empty"),
    "broken key": (Made(pairs=[pair(b"\xff", U32, bytes(4))]), "not UTF-8"),
    "key twice": (Made(pairs=[pair("a", U32, bytes(4))] * 2), "stands twice"),
    "unknown value type": (Made(pairs=[pair("a", 13, bytes(4))]), "value type 13"),
    "half a truth": (Made(pairs=[pair("a", BOOL, b"\2")]), "truth value"),
    "array of arrays": (Made(pairs=[pair("a", ARRAY, array(ARRAY, 1, array(U32, 0, b"")))]), "array of arrays"),
    "endless array": (Made(pairs=[pair("a", ARRAY, array(F32, 1 << 60, b""))]), "elements"),
    "endless array of strings": (Made(pairs=[pair("a", ARRAY, array(STRING, 1 << 60, b""))]), "elements"),
    "alignment 0": (Made(pairs=[pair("general.alignment", U32, bytes(4))]), "power of two"),
    "alignment 24": (Made(pairs=[pair("general.alignment", U32, b"\x18\0\0\0")]), "power of two"),
    "alignment text": (Made(pairs=[pair("general.alignment", STRING, string("32"))]), "power of two"),
    "no dimensions": (Made(rows=[Row(shape=())]), "0 dimensions"),
    "five dimensions": (Made(rows=[Row(shape=(1, 1, 1, 1, 1))]), "5 dimensions"),
    "dimension 0": (Made(rows=[Row(shape=(32, 0))]), "impossible dimensions"),
    "overflow": (Made(rows=[Row(shape=(1 << 32, 1 << 32))]), "impossible dimensions"),
    "half a block": (Made(rows=[Row(shape=(48,), type_id=2)]), "whole blocks"),
    "unknown type": (Made(rows=[Row(type_id=4)]), "unknown ggml type 4"),
    "nameless tensor": (Made(rows=[Row(name="")]), "tensor name of 0"),
    "endless name": (Made(rows=[Row(name="n" * 65)]), "tensor name of 65"),
    "broken name": (Made(rows=[Row(name=b"\xff\xfe")]), "not UTF-8"),
    "tensor twice": (Made(rows=[Row(), Row(offset=256)], data_bytes=512), "stands twice"),
    "misaligned": (Made(rows=[Row(offset=8)]), "not aligned"),
    "overlap": (Made(rows=[Row("a"), Row("b", offset=128)], data_bytes=512), "overlap"),
    "truncated data": (Made(data_bytes=255), "1 bytes of tensor data are missing"),
    "offset beyond the end": (Made(rows=[Row(offset=1 << 62)]), "missing"),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_bad_headers_are_refused_in_one_line_with_the_byte_offset(name: str, tmp_path: Path) -> None:
    made, why = BAD_HEADERS[name]
    path = written(tmp_path, made)
    with pytest.raises(InputError) as caught:
        read_header(path)
    text = str(caught.value)
    assert why in text
    assert "\n" not in text
    assert text.startswith(str(path))
    assert " at byte " in text


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, tmp_path / "missing", fifo, Path("/dev/zero")):
        with pytest.raises(InputError):
            read_header(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(InputError):
            read_header(tmp_path / "socket")


def test_a_file_that_shrinks_meanwhile_is_refused() -> None:
    class Shrunk:
        name, size = "shrunk", 1000

        def read_at(self, offset: int, length: int) -> bytes:
            return b"GGUF"

    with pytest.raises(InputError, match="ends 28 bytes early"):
        parse_header(Shrunk())


def hostile(kind: str) -> Made:
    """A file as large as the limits allow, of one kind of thing."""
    if kind == "empty strings":
        return Made(pairs=[pair("a", ARRAY, array(STRING, f.MAX_STRINGS, bytes(8 * f.MAX_STRINGS)))])
    if kind == "one text":
        # One character outside the basic plane makes Python store every other one in four bytes.
        text = "\U0001f600".encode() + b"x" * (f.MAX_KEPT_STRING_BYTES - 100)
        return Made(pairs=[pair("a", STRING, string(text))])
    if kind == "many keys":
        return Made(pairs=[pair(f"{i:x}", U32, bytes(4)) for i in range(f.MAX_PAIRS)])
    if kind == "many tensors":
        rows = [Row(f"{i:x}", (1, 1, 1, 1), 0, 32 * i) for i in range(f.MAX_TENSORS)]
        return Made(rows=rows, data_bytes=32 * f.MAX_TENSORS)
    elements = b"\xff" * 8 * f.SHORT_ARRAY
    return Made(pairs=[pair(f"{i:x}", ARRAY, array(10, f.SHORT_ARRAY, elements)) for i in range(1023)])


MEASURE = """
import sys
from pathlib import Path
from advisor.gguf.reader import read_header
def peak_kib():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak_kib()
read_header(Path(sys.argv[1]))
print(peak_kib() - before)
"""


@pytest.mark.parametrize("kind", ["empty strings", "one text", "many keys", "many tensors", "short arrays"])
def test_the_largest_headers_stay_within_256_mib(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, hostile(kind))
    command = [sys.executable, "-c", MEASURE, str(path)]
    grown_kib = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert int(grown_kib) < 256 << 10


def test_text_beyond_the_budget_is_refused(tmp_path: Path) -> None:
    words = string(b"x" * (1 << 20)) * 65
    many = pair("a", ARRAY, array(STRING, 2000, words + string("") * 1935))
    with pytest.raises(InputError, match="bytes of text"):
        read_header(written(tmp_path, Made(pairs=[many])))
    kept = [pair(f"k{i}", STRING, string(b"x" * (9 << 20))) for i in range(2)]
    with pytest.raises(InputError, match="bytes of text"):
        read_header(written(tmp_path, Made(pairs=kept)))


def test_elements_beyond_the_budget_are_refused(tmp_path: Path) -> None:
    n = f.MAX_KEPT_ELEMENTS + 1
    path = written(tmp_path, Made(pairs=[pair("a", ARRAY, array(0, n, bytes(n)))]))
    assert read_header(path).metadata["a"] == ArraySummary("uint8", n)
    with pytest.raises(InputError, match="array elements"):
        read_header(path, keep=["a"])


def test_the_weights_are_never_read(tmp_path: Path) -> None:
    class Counted(FileSource):
        n_read = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.n_read += length
            return super().read_at(offset, length)

    path = tmp_path / "large.gguf"
    made = Made(rows=[Row(shape=(1 << 20, 1 << 13))], data_bytes=0).encode()
    with path.open("wb") as stream:
        stream.write(made)
        stream.truncate(len(made) + (4 << 33))
    with path.open("rb") as reader:
        source = Counted(reader, "large", path.stat().st_size)
        assert parse_header(source).tensor_bytes == 4 << 33
    assert source.n_read < 1 << 20


@pytest.mark.parametrize("chunk_bytes", [8, 64, 4096])
def test_strings_are_skipped_alike_whatever_the_window(chunk_bytes: int) -> None:
    texts = [b"x" * (i * 7 % 90) for i in range(200)]
    cursor = Cursor(Memory(b"".join(map(string, texts)) + b"end"), chunk_bytes=chunk_bytes)
    assert cursor.skip_strings(len(texts), 1 << 20) == sum(map(len, texts))
    assert cursor.take(3) == b"end"
