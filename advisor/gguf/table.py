"""The tensor table of a GGUF header, checked against itself and the length of the file."""

from __future__ import annotations

from advisor.domain.blueprint import Tensor
from advisor.domain.ggml import GGML_TYPES_BY_ID, GgmlType
from advisor.gguf import format as f
from advisor.gguf.source import Cursor
from advisor.units import align_up

_MAX_ELEMENTS = (1 << 63) - 1


def read_table(cursor: Cursor, n_tensors: int, alignment: int) -> tuple[tuple[Tensor, ...], tuple[int, ...], int]:
    """Tensors, their offsets and the offset of the data. Raises InputError where the table cannot be true."""
    tensors: list[Tensor] = []
    offsets: list[int] = []
    names: set[str] = set()
    for _ in range(n_tensors):
        at = cursor.offset
        tensor = _read_tensor(cursor)
        if tensor.name in names:
            cursor.fail(f"tensor {tensor.name!r} stands twice", at=at)
        names.add(tensor.name)
        offset = cursor.u64()
        if offset % alignment:
            cursor.fail(f"tensor {tensor.name!r} is not aligned to {alignment} bytes", at=at)
        tensors.append(tensor)
        offsets.append(offset)
    data_offset = align_up(cursor.offset, alignment)
    _check_layout(cursor, tensors, offsets, data_offset)
    return tuple(tensors), tuple(offsets), data_offset


def _read_tensor(cursor: Cursor) -> Tensor:
    at = cursor.offset
    name = _read_name(cursor)
    n_dimensions = cursor.u32()
    if not 1 <= n_dimensions <= f.MAX_DIMENSIONS:
        cursor.fail(f"tensor {name!r} has {n_dimensions} dimensions", at=at)
    shape = tuple([cursor.u64() for _ in range(n_dimensions)])
    ggml_type = _read_type(cursor, name)
    tensor = Tensor(name, shape, ggml_type)
    if 0 in shape or tensor.n_elements > _MAX_ELEMENTS:
        cursor.fail(f"tensor {name!r} has impossible dimensions {shape}", at=at)
    if shape[0] % ggml_type.block_size:
        why = f"rows of tensor {name!r} are no whole blocks of {ggml_type.block_size} for {ggml_type.name}"
        cursor.fail(why, at=at)
    return tensor


def _read_name(cursor: Cursor) -> str:
    at, length = cursor.offset, cursor.u64()
    if not 1 <= length <= f.MAX_NAME_BYTES:
        cursor.fail(f"a tensor name of {length} bytes", at=at)
    try:
        return cursor.take(length).decode("utf-8")
    except UnicodeDecodeError:
        cursor.fail("a tensor name is not UTF-8", at=at)


def _read_type(cursor: Cursor, name: str) -> GgmlType:
    at, number = cursor.offset, cursor.u32()
    ggml_type = GGML_TYPES_BY_ID.get(number)
    if ggml_type is None:
        cursor.fail(f"tensor {name!r} has the unknown ggml type {number}", at=at)
    return ggml_type


def _check_layout(cursor: Cursor, tensors: list[Tensor], offsets: list[int], data_offset: int) -> None:
    end, previous = 0, ""
    for offset, tensor in sorted(zip(offsets, tensors, strict=True), key=lambda pair: pair[0]):
        if offset < end:
            cursor.fail(f"tensors {previous!r} and {tensor.name!r} overlap", at=data_offset + offset)
        end, previous = offset + tensor.n_bytes, tensor.name
    missing = data_offset + end - cursor.file_bytes
    if tensors and missing > 0:
        why = f"{missing} bytes of tensor data are missing: {data_offset + end} needed, the file ends"
        cursor.fail(why, at=cursor.file_bytes, hint="Download or copy the file again; it is incomplete.")
