"""What a GGUF header says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.domain.blueprint import MetadataValue, Tensor


@dataclass(frozen=True, slots=True)
class ArraySummary:
    """A long array whose elements were not kept, such as a vocabulary."""

    element_type: str
    """GGUF's name in lower case: `string`, `float32`, `int32` …"""
    length: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Metadata and tensor table of one file."""

    version: int
    metadata: Mapping[str, MetadataValue | ArraySummary]
    tensors: tuple[Tensor, ...]
    offsets: tuple[int, ...]
    """Where each tensor begins, in bytes from `data_offset`."""
    alignment: int
    data_offset: int
    file_bytes: int

    @property
    def architecture(self) -> str | None:
        """`general.architecture`, or None where it is missing or no text."""
        value = self.metadata.get("general.architecture")
        return value if isinstance(value, str) else None

    @property
    def tensor_bytes(self) -> int:
        """Sum over the tensors, without header and alignment."""
        return sum(tensor.n_bytes for tensor in self.tensors)
