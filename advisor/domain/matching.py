"""Which model of the catalogue a file is: by hash, as a published file, or by its name and shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from advisor.domain.file_differences import same_shape
from advisor.domain.local_files import Evidence, Match
from advisor.domain.model import GgufFile, Model, Shape

_PART = re.compile(r"-\d{5}-of-\d{5}$")
_QUANTIZATION = re.compile(
    r"[-.](?:ud-)?(?:i1-)?(?:i?q\d[a-z0-9-]*|tq\d[a-z0-9-]*|mxfp4[a-z0-9-]*|bf16|fp?16|fp?32)(?:-imat(?:rix)?)?$"
)
_VENDOR = re.compile(r"^(?:mistralai-|mistral-ai-|meta-llama-(?=llama)|meta-)+")
_OPAQUE = re.compile(r"sha256-[0-9a-f]{64}|[0-9a-f]{40,64}|(?:ggml-)?model")
"""File names that say nothing, so that the header's own name decides."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a file's content before the catalogue is asked."""

    file_name: str
    names: tuple[str, ...]
    """What the header calls the model, best first."""
    shape: Shape | None
    """None for a projector, and for an architecture without rules here."""
    quantization: str
    """As its header or its publisher labels it, or `unknown`."""
    n_bytes: int
    """All parts together."""
    sha256: tuple[str, ...] = ()
    """One a part; empty where no hash is known."""
    published: tuple[str, str] | None = None
    """Repository and file, where it lies in a copy of the Hub."""


@dataclass(frozen=True, slots=True)
class Index:
    """The catalogue's published files with the ids of their models, by what tells them apart."""

    models: tuple[Model, ...]
    by_hash: Mapping[tuple[str, ...], tuple[str, GgufFile]] = field(default_factory=dict)
    """One hash a part."""
    by_place: Mapping[tuple[str, str], tuple[str, GgufFile]] = field(default_factory=dict)
    """Repository and file."""
    by_size: Mapping[tuple[str, int], tuple[str, GgufFile]] = field(default_factory=dict)
    """Name of the file without folder, in lower case, and bytes of all parts."""


def index_of(models: Iterable[Model], files: Mapping[str, Iterable[GgufFile]]) -> Index:
    """An index over the published files of models, by model id."""
    by_hash: dict[tuple[str, ...], tuple[str, GgufFile]] = {}
    by_place: dict[tuple[str, str], tuple[str, GgufFile]] = {}
    by_size: dict[tuple[str, int], tuple[str, GgufFile]] = {}
    for model_id, rows in files.items():
        for row in rows:
            if row.sha256:
                by_hash.setdefault(row.sha256, (model_id, row))
            by_place.setdefault((row.repo, row.file), (model_id, row))
            if row.n_bytes:
                by_size.setdefault((_base(row.file), row.n_bytes), (model_id, row))
    return Index(tuple(models), by_hash, by_place, by_size)


def match_file(file: Identity, index: Index) -> tuple[Match | None, tuple[str, ...]]:
    """The model that a file is, and the models that only share its shape where it is none of them.

    The same shape alone proves nothing: every fine-tune has its base's. A name that is exactly the model's, or a
    file that somebody published under the model, is asked for besides.
    """
    published = _published(file, index)
    if published is not None:
        evidence, (model_id, row) = published
        return Match(model_id, row.quantization, evidence, row.repo), ()
    if file.shape is None:
        return None, ()
    same = [m for m in index.models if m.shape is not None and same_shape(m.shape, file.shape)]
    names = _own_names(file)
    named = sorted(m.id for m in same if names & {plain_name(m.hf_id), m.id})
    if named:
        return Match(named[0], file.quantization, "name and shape"), ()
    return None, tuple(sorted(m.id for m in same))


def _published(file: Identity, index: Index) -> tuple[Evidence, tuple[str, GgufFile]] | None:
    """The published file that it is, with its model and by the surest evidence; None where it is none."""
    if file.sha256 and file.sha256 in index.by_hash:
        return "hash", index.by_hash[file.sha256]
    at = index.by_place.get(file.published) if file.published is not None else None
    if at is None:
        at = index.by_size.get((_base(file.file_name), file.n_bytes))
    return None if at is None or _contradicts(file, at[1]) else ("published file", at)


def _contradicts(file: Identity, row: GgufFile) -> bool:
    """Whether the file cannot be the published one: another size, or another hash."""
    if row.n_bytes is not None and row.n_bytes != file.n_bytes:
        return True
    return bool(row.sha256 and file.sha256 and row.sha256 != file.sha256)


def _base(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _own_names(file: Identity) -> frozenset[str]:
    """What the file is called: by its name, or by its header where its name says nothing."""
    name = plain_name(file.file_name)
    if _OPAQUE.fullmatch(name):
        return frozenset(plain_name(text) for text in file.names)
    return frozenset({name})


def plain_name(text: str) -> str:
    """A model's name without folder, publisher, quantization and ending: `llama-3.1-8b-instruct`."""
    name = text.rpartition("/")[2].casefold().removesuffix(".gguf")
    name = _PART.sub("", re.sub(r"[ _]", "-", name))
    name = name.rpartition("-gguf-")[2] or name  # llama.cpp's cache puts owner and repository before the file
    name = _QUANTIZATION.sub("", name).rstrip("-.")
    return _VENDOR.sub("", name.removesuffix("-gguf"))
