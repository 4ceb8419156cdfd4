"""What a file on this machine is, by its header and the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from advisor.domain.header import quantization_of, shape_of
from advisor.domain.local_files import Kind, LocalFile
from advisor.domain.matching import Identity, Index, match_file
from advisor.domain.model import Shape
from advisor.domain.upkeep.files import quantization_label
from advisor.errors import InputError
from advisor.gguf.header import ArraySummary, GgufHeader
from advisor.gguf.split import read_model
from advisor.hub.scanning import SeenFile

_NAMES = ("general.name", "general.basename")


def identify(parts: Sequence[SeenFile], sha256: tuple[str, ...], index: Index) -> LocalFile:
    """What the parts of one model are; `sha256` was computed from them, empty where it was not. Never raises."""
    first = parts[0]
    stated = tuple(part.stated_sha256 for part in parts if part.stated_sha256 is not None)
    hashes = sha256 or (stated if len(stated) == len(parts) else ())
    known = LocalFile(
        path=str(first.path),
        place=first.place,
        label=first.label,
        kind="unusable",
        n_bytes=sum(part.n_bytes for part in parts),
        n_parts=len(parts),
        sha256=hashes,
        hash_basis=None if not hashes else "computed" if sha256 else "stated",
    )
    try:
        header = read_model(first.path)
    except InputError as error:
        return replace(known, kind="unusable", reason=f"{error.what}{f': {error.why}' if error.why else ''}")
    except (ValueError, OverflowError, MemoryError) as error:
        return replace(known, kind="unusable", reason=f"its header cannot be read: {type(error).__name__}")
    return _identified(known, first, header, index)


def _identified(known: LocalFile, seen: SeenFile, header: GgufHeader, index: Index) -> LocalFile:
    kind = kind_of(header)
    shape, why = _shape(header) if kind == "model" else (None, None)
    quantization = quantization_label(seen.path.name, quantization_of(header.metadata))
    published = seen.published
    identity = Identity(
        file_name=seen.path.name,
        names=tuple(v for key in _NAMES if isinstance(v := header.metadata.get(key), str)),
        shape=shape,
        quantization=quantization,
        n_bytes=known.n_bytes,
        sha256=known.sha256,
        published=published,
    )
    match, alike = match_file(identity, index)
    return replace(
        known,
        kind=kind,
        architecture=header.architecture,
        quantization=quantization if match is None else match.quantization,
        tensor_bytes=header.tensor_bytes,
        has_tokenizer=has_tokenizer(header),
        match=match,
        alike=alike,
        reason=None if match else why or _reason(kind, alike),
    )


def kind_of(header: GgufHeader) -> Kind:
    """What a file holds. llama.cpp's converter writes `general.type`; older projectors have the architecture `clip`."""
    stated = header.metadata.get("general.type")
    if header.architecture == "clip" or stated == "mmproj":
        return "projector"
    if stated == "adapter" or "adapter.type" in header.metadata:
        return "adapter"
    if not header.tensors:
        return "vocabulary"
    return "model"


def _shape(header: GgufHeader) -> tuple[Shape | None, str | None]:
    try:
        return shape_of(header.metadata, header.tensors), None
    except (InputError, ValueError, ArithmeticError) as error:
        return None, str(error)


def has_tokenizer(header: GgufHeader) -> bool:
    """Whether the file can turn text into tokens."""
    model, tokens = (header.metadata.get(f"tokenizer.ggml.{key}") for key in ("model", "tokens"))
    length = tokens.length if isinstance(tokens, ArraySummary) else len(tokens) if isinstance(tokens, tuple) else 0
    return isinstance(model, str) and model not in ("", "no_vocab") and length > 0


def _reason(kind: Kind, alike: tuple[str, ...]) -> str:
    words = {
        "projector": "it is the projector that lets a model see or hear, no model",
        "adapter": "it is an adapter to be laid over a model, no model",
        "vocabulary": "it holds a vocabulary and no weights",
    }
    if kind in words:
        return words[kind]
    if alike:
        return "it has a catalogued model's shape but another name, so perhaps it was tuned from one"
    return "no model of the catalogue has this architecture and size"
