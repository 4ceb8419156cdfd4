"""A file next to the catalogue: which model it is, and what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from advisor.domain.ggml import GgmlType
from advisor.domain.model import Model, Shape
from advisor.domain.tensor_types import DEFAULT_TYPE
from advisor.domain.weights import Weights, weights
from advisor.units import counted

_COMPARED = ("n_layers", "hidden_size", "n_heads", "n_kv_heads", "head_dim", "ffn_size", "vocab_size")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a header says about its model."""

    shape: Shape
    weights: Weights
    quantization: str
    max_context_tokens: int | None
    names: tuple[str, ...]
    """File name, `general.name`, base model: wherever the model may be named."""


def differences(file: FileFacts, models: Iterable[Model]) -> tuple[str, ...]:
    """What the catalogue says otherwise, in sentences; the first names the entry that was compared."""
    entry = _entry(file, models)
    if entry is None:
        return ("no model of the catalogue has this architecture and size",)
    return (f"compared with {entry.id}", *_of_shape(file, entry), *_of_weights(file, entry), *_of_context(file, entry))


def _entry(file: FileFacts, models: Iterable[Model]) -> Model | None:
    """The entry of the same shape whose name is the most like the file's, else one of the same size."""
    alike = [m for m in models if m.shape is not None and m.shape.architecture == file.shape.architecture]
    same = [m for m in alike if _plain(m.shape) == _plain(file.shape)]
    near = [m for m in alike if m.shape and (m.shape.n_layers, m.shape.hidden_size) == _size(file.shape)]
    return max(same or near, key=lambda m: (_likeness(file, m), m.id), default=None)


def same_shape(one: Shape, other: Shape) -> bool:
    """Whether two shapes agree in everything that a header tells."""
    return _plain(one) == _plain(other)


def _plain(shape: Shape | None) -> Shape | None:
    """The shape without what a header need not tell."""
    return None if shape is None else replace(shape, window=None, rope_factors=False)


def _size(shape: Shape) -> tuple[int, int]:
    return shape.n_layers, shape.hidden_size


def _likeness(file: FileFacts, model: Model) -> int:
    text = "".join(file.names).lower().replace(" ", "-").replace("_", "-")
    wanted = model.hf_id.rpartition("/")[2].lower()
    return sum(len(part) for part in wanted.split("-") if part in text) + (100 if wanted in text else 0)


def _of_shape(file: FileFacts, entry: Model) -> list[str]:
    found = []
    for name in _COMPARED:
        here, there = getattr(file.shape, name), getattr(entry.shape, name)
        if here != there:
            found.append(f"{name}: {here:,} in the file, {there:,} in the catalogue")
    if entry.shape is not None and file.shape.tied_embeddings != entry.shape.tied_embeddings:
        words = {True: "tied", False: "separate"}
        found.append(f"output projection: {words[file.shape.tied_embeddings]} in the file")
    return found


def _of_weights(file: FileFacts, entry: Model) -> list[str]:
    if entry.shape is None or file.quantization not in DEFAULT_TYPE or _of_shape(file, entry):
        return []
    expected = [weights(entry.shape, file.quantization, imatrix=imatrix) for imatrix in (True, False)]
    if any(e.total_bytes == file.weights.total_bytes for e in expected):
        return []
    gap = file.weights.total_bytes - expected[0].total_bytes
    others = counted(_n_other_types(file.weights, expected[0]), "tensor has", "tensors have")
    return [
        f"tensors: {file.weights.total_bytes:,} bytes in the file, {expected[0].total_bytes:,} by llama.cpp's rules for"
        f" {file.quantization} ({gap:+,}); {others} another type"
    ]


def _n_other_types(here: Weights, there: Weights) -> int:
    types = _types(there)
    return sum(types.get(key) != kind for key, kind in _types(here).items())


def _types(held: Weights) -> dict[tuple[str, int], GgmlType]:
    places = ((t, t.group.layers or (-1,)) for t in held.groups)
    return {
        (t.group.suffix, layer): kind
        for t, layers in places
        for layer, kind in zip(layers, t.types, strict=True)
    }  # fmt: skip


def _of_context(file: FileFacts, entry: Model) -> list[str]:
    here, there = file.max_context_tokens, entry.max_context_tokens
    if here is None or there is None or here == there:
        return []
    return [f"context: {here:,} tokens in the file, {there:,} in the catalogue"]
