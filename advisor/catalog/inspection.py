"""Every knowledge file read and held against its schema, with all that is wrong rather than the first thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor._toml import load_toml
from advisor.catalog.licence_schema import licence_faults
from advisor.catalog.overlay import merged_documents, overlay_files
from advisor.catalog.schema import SCHEMAS
from advisor.catalog.sealed import SEAL, Kind, digests, sealable
from advisor.domain.upkeep.finding import Finding
from advisor.errors import InputError
from advisor.schema_errors import place, problems

Document = dict[str, Any]

_WITHOUT_SOURCE_KEYS: tuple[Kind, ...] = ("questions", "presets", "smoke", "speed", "serving", "quality", "licences")
"""Kinds whose files name no sources or whose sources stand for the whole, or whose schema compares them already."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that keeps its schema."""

    path: Path
    name: str
    """What findings call it: relative to the knowledge directory, or the whole path of a user's file."""
    kind: Kind
    document: Document
    bases: Mapping[str, str]
    """Model id to the id of its base, for the user's entries that have one."""
    is_own: bool
    """The user's."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The files that can be looked into further, and what is wrong with all of them."""

    files: tuple[Inspected, ...]
    findings: tuple[Finding, ...]
    n_files: int

    def of(self, kind: Kind) -> Iterator[Inspected]:
        """The sound files of a kind."""
        return (file for file in self.files if file.kind == kind)


def inspect(directory: Path, overlay: Path) -> Inspection:
    """Read the knowledge directory and the overlay. Never raises for what is in them."""
    files: list[Inspected] = []
    findings: list[Finding] = []
    shipped = sealable(directory)
    for path, kind in shipped:
        name = path.relative_to(directory).as_posix()
        _inspect(files, findings, path, name, kind)
    findings += _seal_findings(directory)
    own = _own_documents(overlay, directory, findings)
    for path, document in own.items():
        _check(files, findings, Inspected(path, str(path), "models", document, _bases(path), True))
    lists = sorted((overlay / "gguf").glob("*.toml"))
    for path in lists:
        _inspect(files, findings, path, str(path), "gguf", is_own=True)
    n_files = len(shipped) + len(overlay_files(overlay)) + len(lists)
    return Inspection(tuple(files), tuple(findings), n_files)


def finding_of(error: InputError, name: str, path: Path) -> Finding:
    """An error that speaks of a file, split into file, key and reason."""
    text = error.what.removeprefix(f"{path}: ").removeprefix(str(path)).strip()
    key, colon, reason = text.partition(": ")
    if not colon:
        key, reason = "", text
    reason = reason if error.why is None else f"{reason}: {error.why}"
    return Finding("error", name, key, reason, error.hint)


def _inspect(
    files: list[Inspected], findings: list[Finding], path: Path, name: str, kind: Kind, *, is_own: bool = False
) -> None:
    try:
        document = load_toml(path)
    except InputError as error:
        findings.append(finding_of(error, name, path))
        return
    _check(files, findings, Inspected(path, name, kind, document, {}, is_own))


def _check(files: list[Inspected], findings: list[Finding], file: Inspected) -> None:
    found = [*_schema_findings(file)]
    if not found:
        found = [*_source_findings(file)]
        if not any(finding.level == "error" for finding in found):
            files.append(file)
    findings += found


def _schema_findings(file: Inspected) -> Iterator[Finding]:
    if file.kind == "licences":
        for key, message, hint in licence_faults(file.document, file.path):
            yield Finding("error", file.name, key, message, hint)
        return
    schema = SCHEMAS[file.kind]
    try:
        schema.model_validate(file.document)
    except ValidationError as error:
        for problem in problems(error, schema, file.document):
            yield Finding("error", file.name, problem.place, problem.message, problem.hint)


def _source_findings(file: Inspected) -> Iterator[Finding]:
    """Sources that are named and missing, or there and never named."""
    if file.kind in _WITHOUT_SOURCE_KEYS:
        return
    sources, used = file.document["sources"], set[str]()
    for location, key in _named_sources(file.document, ()):
        used.add(key)
        if key not in sources:
            where = place(file.document, (*location, "source"))
            fix = f"Add it to [sources], which has {', '.join(sources)}."
            yield Finding("error", file.name, where, f"{key!r} is not among the sources", fix)
    for key in sources:
        # What a base brings along is not the user's to tidy up.
        if key not in used and "/" not in key:
            yield Finding("warning", file.name, f"sources.{key}", "nothing in this file names it", "Remove it.")


def _named_sources(value: Any, location: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "source" and isinstance(inner, str):
                yield location, inner
            else:
                yield from _named_sources(inner, (*location, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _named_sources(inner, (*location, i))


def _seal_findings(directory: Path) -> Iterator[Finding]:
    """Files that have to be validated at every start because the seal does not vouch for them."""
    seal = digests(directory)
    if not seal.recorded:
        return
    fix = "Renew the seal: python -m advisor.catalog.sealed [DIRECTORY]."
    for name in seal.unvouched:
        yield Finding("warning", SEAL, name, "the seal does not vouch for this file, so it slows every start", fix)
    for name in sorted(set(seal.recorded) - set(seal.actual)):
        yield Finding("warning", SEAL, name, "the seal names a file that is not there", fix)


def _own_documents(overlay: Path, directory: Path, findings: list[Finding]) -> dict[Path, Document]:
    """The user's model files with inherited values; without those that cannot be read or filled up."""
    documents: dict[Path, Document] = {}
    for path in overlay_files(overlay):
        try:
            documents[path] = load_toml(path)
        except InputError as error:
            findings.append(finding_of(error, str(path), path))
    try:
        return merged_documents(documents, directory)
    except InputError as error:
        path = next((p for p in documents if error.what.startswith(f"{p}: ")), overlay / "models")
        findings.append(finding_of(error, str(path), path))
        return {}


def _bases(path: Path) -> dict[str, str]:
    tables = load_toml(path).get("model")
    return {
        table["id"]: table["base"]
        for table in (tables if isinstance(tables, list) else ())
        if isinstance(table, dict) and isinstance(table.get("id"), str) and isinstance(table.get("base"), str)
    }


def checked_days(document: Mapping[str, Any]) -> dict[str, date]:
    """When each source of a file was last looked at."""
    found = {}
    for key, source in document.get("sources", {}).items():
        day = source["checked"]
        found[key] = day if isinstance(day, date) else date.fromisoformat(day)
    return found
