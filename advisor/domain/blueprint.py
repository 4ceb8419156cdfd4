"""A model file without its weights: metadata and tensor table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from advisor.domain.ggml import GgmlType

MetadataScalar = bool | int | float | str
MetadataValue = MetadataScalar | tuple[MetadataScalar, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of the table. `shape` is in ggml's order: the first number is the length of a row."""

    name: str
    shape: tuple[int, ...]
    ggml_type: GgmlType

    @property
    def n_elements(self) -> int:
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        return self.ggml_type.n_bytes(self.n_elements)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What llama.cpp needs to size a model: `general.architecture`, hyperparameters and the tensor table."""

    metadata: Mapping[str, MetadataValue]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        return str(self.metadata["general.architecture"])

    @property
    def tensor_bytes(self) -> int:
        """Sum over the tensors, without header and alignment."""
        return sum(tensor.n_bytes for tensor in self.tensors)
