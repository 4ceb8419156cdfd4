"""A user's own catalogue entries, beside those that ship or in their place.

They stand in `models/` of the configuration directory, in the format of knowledge/models, and may build on another
model with `base = "its-id"`. An overlay is used whole or not at all, so that one mistake cannot change the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from advisor._toml import MAX_BYTES, load_toml
from advisor.catalog.inheritance import filled, renamed_sources
from advisor.catalog.models import read_models
from advisor.domain.catalogue import Catalogue
from advisor.domain.licence import Licence
from advisor.domain.licence.derivation import shed_restrictions
from advisor.domain.model import Model
from advisor.errors import InputError, nearest
from advisor.files import is_folder, read_bounded

Document = dict[str, Any]

_MAX_BASES = 8
"""Generations of fine-tunes; more are a mistake."""

VERSION_SUFFIX = "+overlay"
"""Ends the version of a catalogue that is not only the shipped one."""


def overlay_files(folder: Path) -> list[Path]:
    """The model files of an overlay, in order of their names."""
    models = folder / "models"
    return sorted(models.rglob("*.toml")) if is_folder(models) else []


def with_overlay(shipped: Catalogue, directory: Path, folder: Path) -> Catalogue:
    """The shipped catalogue of a knowledge directory with the overlay in `folder` over it.

    Raises InputError, as `file: place: what is wrong`, for an overlay that cannot be used.
    """
    files = overlay_files(folder)
    if not files:
        return shipped
    documents = {path: load_toml(path) for path in files}
    checked: list[str] = [shipped.version]
    own: dict[str, Model] = {}
    for path, document in merged_documents(documents, directory).items():
        _validate(document, path)
        checked += [source["checked"] for source in document["sources"].values()]
        bases = {table["id"]: table.get("base") for table in documents[path]["model"]}
        for model in read_models(document, path):
            own[model.id] = replace(model, overlay=str(path), base=bases[model.id])
    others = [model for model in shipped.models if model.id not in own]
    found = replace(
        shipped,
        version=max(checked) + VERSION_SUFFIX,
        sha256=_hash(shipped.sha256, folder, files),
        models=tuple(sorted((*others, *own.values()), key=lambda model: model.id)),
    )
    by_id = {model.id: model for model in found.models}
    for model in own.values():
        check_entry(model, by_id, found.licences)
    return found


def merged_documents(documents: Mapping[Path, Document], directory: Path) -> dict[Path, Document]:
    """Each document with its tables filled up from their bases and the sources that these need; nothing is validated.

    Raises InputError for an id that two tables claim and for a base that is missing or goes round in a circle.
    """
    entries = _Entries(directory)
    for path, document in documents.items():
        entries.add(path, document)
    return {path: _merged(entries, path, document) for path, document in documents.items()}


def _merged(entries: _Entries, path: Path, document: Document) -> Document:
    try:
        return entries.merged(path, document)
    except RecursionError as error:
        raise InputError(f"{path}: tables are nested too deeply") from error


def check_entry(model: Model, models: Mapping[str, Model], licences: Mapping[str, Licence]) -> None:
    """Hold an entry against everything that it is part of. Raises InputError for a reference to nothing and for a
    licence that a derivative of its base cannot have."""
    place = f"{model.overlay}: model[{model.id}]"
    if model.licence not in licences:
        what = f"{place}.licence: there is no licence {model.licence!r}"
        raise InputError(what, hint=nearest(model.licence, licences))
    others = models.keys() - {model.id}
    if model.superseded_by is not None and model.superseded_by not in others:
        what = f"{place}.superseded_by: there is no other model {model.superseded_by!r}"
        raise InputError(what, hint=nearest(model.superseded_by, others))
    base = models.get(model.base or "")
    if base is None or base.id == model.id or base.licence == model.licence:
        return
    shed = shed_restrictions(licences[model.licence], licences[base.licence])
    if shed:
        raise InputError(
            f"{place}.licence: {model.licence!r} sheds terms of {base.licence!r}, the licence of its base",
            why=f"{', '.join(shed)}; a derivative stays under them",
            hint=f"Leave the licence out to inherit {base.licence!r}, or give one that is at least as strict.",
        )


@dataclass
class _Entries:
    """Tables of the overlay by id, filled up when they are first asked for."""

    directory: Path
    tables: dict[str, tuple[Document, Document, Path]] = field(default_factory=dict)
    """Table, sources of its file, and the file."""
    shipped: dict[str, tuple[Document, Document]] = field(default_factory=dict)
    """Table and sources of each shipped base that was asked for."""

    def add(self, path: Path, document: Document) -> None:
        for table in _tables(document):
            model_id = table.get("id")
            if not isinstance(model_id, str):
                continue
            if model_id in self.tables:
                why = f"it occurs in {self.tables[model_id][2]} too"
                raise InputError(f"{path}: model[{model_id}].id: the id is taken", why=why)
            self.tables[model_id] = (table, _sources(document), path)

    def merged(self, path: Path, document: Document) -> Document:
        if not isinstance(document.get("model"), list) or not isinstance(document.get("sources", {}), Mapping):
            return document
        sources = dict(_sources(document))
        tables: list[Any] = []
        for table in document["model"]:
            if isinstance(table, dict) and "base" in table:
                table, inherited = self._filled(table, path, ())
                sources |= inherited
            tables.append(table)
        return {**document, "sources": sources, "model": tables}

    def _filled(self, table: Document, path: Path, above: Sequence[str]) -> tuple[Document, Document]:
        """The table filled up, and the sources that it has beside those of its own file."""
        model_id, base_id = str(table.get("id", "")), table["base"]
        place = f"{path}: model[{model_id}].base"
        if not isinstance(base_id, str):
            raise InputError(f"{place}: Input should be the id of a model")
        if base_id in above:
            raise InputError(f"{place}: {base_id!r} is built on this model itself")
        if len(above) == _MAX_BASES:
            raise InputError(f"{place}: more than {_MAX_BASES} models are built on one another")
        base, sources = self._base(base_id, model_id, place, (*above, model_id))
        return filled(table, base, base_id), renamed_sources(sources, base_id)

    def _base(self, base_id: str, model_id: str, place: str, above: Sequence[str]) -> tuple[Document, Document]:
        """A base's table with all sources that it names. An entry of the same id builds on the shipped one."""
        if base_id in self.tables and base_id != model_id:
            table, sources, path = self.tables[base_id]
            if "base" not in table:
                return table, sources
            whole, inherited = self._filled(table, path, above)
            return whole, {**sources, **inherited}
        found = self.shipped.get(base_id) or self._shipped(base_id)
        if found is None:
            raise InputError(f"{place}: there is no model {base_id!r}", hint=nearest(base_id, self._ids()))
        self.shipped[base_id] = found
        return found

    def _shipped(self, base_id: str) -> tuple[Document, Document] | None:
        for path in sorted((self.directory / "models").glob("*/*.toml")):
            if f'"{base_id}"'.encode("utf-8", "surrogatepass") in read_bounded(path, MAX_BYTES):
                document = load_toml(path)
                for table in _tables(document):
                    if table.get("id") == base_id:
                        return table, _sources(document)
        return None

    def _ids(self) -> Iterable[str]:
        shipped = (load_toml(path) for path in (self.directory / "models").glob("*/*.toml"))
        return [*self.tables, *(str(table.get("id")) for document in shipped for table in _tables(document))]


def _tables(document: Document) -> list[Document]:
    tables = document.get("model")
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _sources(document: Document) -> Document:
    sources = document.get("sources")
    return sources if isinstance(sources, dict) else {}


def _validate(document: Document, path: Path) -> None:
    # Only here, so that who has no overlay does not wait for pydantic.
    from advisor.catalog.schema import ModelFile
    from advisor.catalog.validation import validate

    validate(ModelFile, document, name=str(path))


def _hash(shipped: str, folder: Path, files: Iterable[Path]) -> str:
    digest = sha256(shipped.encode())
    for path in files:
        content = read_bounded(path, MAX_BYTES)
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
