"""Writes a blueprint as a GGUF file: sparse, for sizing, or with synthetic weights, for running.

A sparse file has its full length but holds only the header. Synthetic weights are valid blocks of random values,
because zeros would let every token choose the same experts and are no workload at all.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import BinaryIO

from advisor.domain.blueprint import Blueprint, MetadataScalar, MetadataValue, Tensor
from advisor.domain.ggml import GgmlType
from advisor.errors import InputError
from advisor.gguf import format as f
from advisor.units import align_up

_CHUNK_BYTES = 4 << 20
_INT64_MIN = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Layout:
    """A blueprint's header in bytes, and where its data go."""

    header: bytes
    """Padded to the beginning of the data."""
    offsets: tuple[int, ...]
    """Where each tensor begins, in bytes from the beginning of the file."""
    file_bytes: int


def write_sparse(blueprint: Blueprint, path: Path) -> Layout:
    """Write a file of the full length without weights. Raises InputError where the file cannot be made."""
    layout = lay_out(blueprint)
    try:
        with path.open("wb") as stream:
            stream.write(layout.header)
            stream.truncate(layout.file_bytes)
    except OSError as error:
        raise _unwritable(path, layout, error) from error
    return layout


def write_synthetic(blueprint: Blueprint, path: Path, blocks: Callable[[GgmlType], bytes]) -> Layout:
    """Write a file with weights that run: norms are 1, biases 0, everything else is tiled from `blocks`.

    `blocks` gives valid random blocks of a type, asked for once per type; a prime number of blocks keeps the
    rows of a tensor different. Raises InputError where the file cannot be made, ValueError where there are no blocks.
    """
    layout = lay_out(blueprint)
    pools: dict[GgmlType, bytes] = {}
    try:
        with path.open("wb") as stream:
            stream.write(layout.header)
            for tensor, offset in zip(blueprint.tensors, layout.offsets, strict=True):
                stream.seek(offset)
                _write_tiled(stream, _pool(tensor, pools, blocks), tensor.n_bytes)
            stream.truncate(layout.file_bytes)
    except OSError as error:
        raise _unwritable(path, layout, error) from error
    return layout


def lay_out(blueprint: Blueprint) -> Layout:
    """The header and the offsets. Raises ValueError for metadata that the format cannot hold."""
    alignment = blueprint.metadata.get(f.ALIGNMENT_KEY, f.DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int):
        raise ValueError(f"{f.ALIGNMENT_KEY} is no whole number")
    padded = [_padded_bytes(tensor.shape, tensor.ggml_type, alignment) for tensor in blueprint.tensors]
    relative = list(accumulate(padded, initial=0))
    header = b"".join(_header_parts(blueprint, relative))
    header += bytes(align_up(len(header), alignment) - len(header))
    offsets = tuple([len(header) + offset for offset in relative[:-1]])
    return Layout(header, offsets, len(header) + relative[-1])


@lru_cache(maxsize=1024)
def _padded_bytes(shape: tuple[int, ...], kind: GgmlType, alignment: int) -> int:
    """Remembered because the layers of a model are alike."""
    return align_up(kind.n_bytes(prod(shape)), alignment)


@cache
def _row(name_bytes: int, n_dimensions: int) -> struct.Struct:
    """Of the tensor table: name, shape, type and offset."""
    return struct.Struct(f"<Q{name_bytes}sI{n_dimensions}QIQ")


def _header_parts(blueprint: Blueprint, offsets: Sequence[int]) -> Iterator[bytes]:
    counts = (len(blueprint.tensors), len(blueprint.metadata))
    yield struct.pack("<4sIQQ", f.MAGIC, f.WRITTEN_VERSION, *counts)
    for key, value in blueprint.metadata.items():
        yield _string(key)
        yield from _value(key, value)
    for tensor, offset in zip(blueprint.tensors, offsets, strict=False):
        name, shape = tensor.name.encode("utf-8"), tensor.shape
        row = _row(len(name), len(shape))
        yield row.pack(len(name), name, len(shape), *shape, tensor.ggml_type.type_id, offset)


def _string(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _value(key: str, value: MetadataValue) -> Iterator[bytes]:
    if not isinstance(value, tuple):
        kind = _kind(key, [value])
        yield struct.pack("<I", kind)
        yield _scalar(kind, value)
        return
    kind = _kind(key, value)
    yield struct.pack("<IIQ", f.ValueType.ARRAY, kind, len(value))
    for element in value:
        yield _scalar(kind, element)


def _scalar(kind: f.ValueType, value: MetadataScalar) -> bytes:
    return _string(str(value)) if kind is f.ValueType.STRING else struct.pack("<" + f.STRUCT_CODES[kind], value)


def _kind(key: str, values: Sequence[MetadataScalar]) -> f.ValueType:
    """The type llama.cpp expects: whole numbers as uint32, or int32 where one is negative; fractions as float32."""
    if all(isinstance(v, str) for v in values) and values:
        return f.ValueType.STRING
    if all(isinstance(v, bool) for v in values) and values:
        return f.ValueType.BOOL
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != len(values):
        raise ValueError(f"the values of {key!r} are of different types")
    if any(isinstance(v, float) for v in numbers):
        return f.ValueType.FLOAT32
    return _whole_kind(key, min(numbers, default=0), max(numbers, default=0))


def _whole_kind(key: str, least: float, most: float) -> f.ValueType:
    if least >= 0 and most < 1 << 32:
        return f.ValueType.UINT32
    if least >= -(1 << 31) and most < 1 << 31:
        return f.ValueType.INT32
    if least >= 0 and most < 1 << 64:
        return f.ValueType.UINT64
    if least >= _INT64_MIN and most < 1 << 63:
        return f.ValueType.INT64
    raise ValueError(f"{key!r} exceeds 64 bits")


def _pool(tensor: Tensor, pools: dict[GgmlType, bytes], blocks: Callable[[GgmlType], bytes]) -> bytes:
    constant = _constant(tensor)
    if constant is not None:
        return constant
    kind = tensor.ggml_type
    if kind not in pools:
        pools[kind] = blocks(kind)
    if not pools[kind] or len(pools[kind]) % kind.block_bytes:
        raise ValueError(f"no whole blocks of {kind.name}")
    return pools[kind]


def _constant(tensor: Tensor) -> bytes | None:
    """What all elements of a norm, a bias or a state-space constant are, or None for a matrix."""
    if tensor.ggml_type.name != "F32":
        return None
    if tensor.name.endswith(".bias"):
        return bytes(_CHUNK_BYTES)
    if tensor.name.endswith("ssm_a"):
        value = -1.0  # a decay: a positive one would let the state grow without bound
    elif "norm" in tensor.name or tensor.name.endswith(("ssm_d", "rope_freqs.weight")):
        value = 1.0
    else:
        return None
    return struct.pack("<f", value) * 4096


def _write_tiled(stream: BinaryIO, pool: bytes, n_bytes: int) -> None:
    copies = max(1, _CHUNK_BYTES // len(pool))
    chunk = memoryview(pool * min(copies, -(-n_bytes // len(pool))))
    while n_bytes > 0:
        stream.write(chunk[:n_bytes])
        n_bytes -= len(chunk)


def _unwritable(path: Path, layout: Layout, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written",
        why=f"{error.strerror or error} ({layout.file_bytes} bytes long)",
        hint="Choose a temporary directory on another file system with TMPDIR.",
    )
