"""The numbers of the GGUF format, and the bounds within which a header is believed.

Source of the layout: docs/gguf.md of the ggml project, versions 2 and 3.
"""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = b"GGUF"
WRITTEN_VERSION = 3
READ_VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
ALIGNMENT_KEY = "general.alignment"

LOCAL_CHUNK_BYTES = 256 << 10
"""What is read of a local file at once."""
MAX_PAIRS = 65_536
"""Metadata pairs; real files have fewer than a hundred."""
MAX_TENSORS = 65_536
"""Real files have fewer than 2,000."""
MAX_DIMENSIONS = 4
"""`GGML_MAX_DIMS`."""
MAX_KEY_BYTES = 65_535
MAX_NAME_BYTES = 64
MAX_STRING_BYTES = 64 << 20
"""All strings together, skipped ones included; the largest vocabularies take about 10 MiB."""
MAX_KEPT_STRING_BYTES = 16 << 20
"""All strings that stay in memory, where a character can take four times its size in the file."""
MAX_STRINGS = 2 << 20
"""All strings in arrays; vocabularies have up to half a million tokens and as many merges."""
MAX_KEPT_ELEMENTS = 1 << 20
"""All array elements that stay in memory."""
SHORT_ARRAY = 1024
"""Longest array that is kept without being asked for; per-layer values have at most a few hundred."""


class ValueType(IntEnum):
    """Types of metadata values."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


STRUCT_CODES = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.FLOAT32: "f",
    ValueType.BOOL: "B",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
    ValueType.FLOAT64: "d",
}
"""Codes of `struct` for values of fixed size; always little endian here."""

VALUE_BYTES = {kind: struct.calcsize("<" + code) for kind, code in STRUCT_CODES.items()}
