"""The knowledge directory as one `Catalogue`, and the parts of it that are read only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from advisor._toml import MAX_BYTES
from advisor.catalog.licences import load_licences
from advisor.catalog.models import read_gguf_files, read_models, read_quantizations
from advisor.catalog.quality import load_quality
from advisor.catalog.sealed import KnowledgeReader
from advisor.catalog.speed import load_speed
from advisor.domain.catalogue import Catalogue
from advisor.domain.language_names import LanguageNames
from advisor.domain.model import GgufFile, LanguageName, Model
from advisor.errors import InputError, nearest
from advisor.files import read_bounded

__all__ = ["load_catalogue", "load_gguf_files", "load_languages"]


def load_catalogue(directory: Path, languages: LanguageNames | None = None) -> Catalogue:
    """Models, licences, quantizations, speed constants and the scale of quality of a knowledge directory, whose names
    of languages can be given where they are read already.

    Raises InputError, as `file: place: what is wrong`, for a file that cannot be used.
    """
    paths = sorted((directory / "models").glob("*/*.toml"))
    if not paths:
        raise InputError(f"{directory / 'models'} holds no model", hint="Install llm-advisor again.")
    reader = KnowledgeReader(directory)
    found: dict[Path, list[Model]] = {}
    checked = ""
    for path in paths:
        document = reader.read(path, "models")
        found[path] = read_models(document, path)
        checked = max([checked, *(source["checked"] for source in document["sources"].values())])
    quantizations = directory / "quantizations.toml"
    catalogue = Catalogue(
        version=checked,
        sha256=_hash(directory, reader),
        models=tuple(sorted((m for models in found.values() for m in models), key=lambda model: model.id)),
        licences=load_licences(directory, read=lambda path: reader.read(path, "licences")),
        quantizations=read_quantizations(reader.read(quantizations, "quantizations"), quantizations),
        speed=load_speed(directory, reader),
        languages=languages or load_languages(directory),
        quality=load_quality(directory, reader),
    )
    _check_ids(found)
    _check_references(found, catalogue)
    return catalogue


def load_gguf_files(directory: Path, model_id: str) -> tuple[GgufFile, ...]:
    """The published quantizations of a model; none where the knowledge directory lists none.

    Raises InputError for a file that cannot be used.
    """
    # Parsing every file to find the few rows of one model would take longer than looking for its id.
    wanted = f'"{model_id}"'.encode()
    paths = (path for path in sorted((directory / "gguf").glob("*.toml")) if wanted in read_bounded(path, MAX_BYTES))
    reader = KnowledgeReader(directory)
    return tuple(row for path in paths for row in read_gguf_files(reader.read(path, "gguf"), path, model_id))


def load_all_gguf_files(directory: Path, model_ids: Iterable[str]) -> dict[str, tuple[GgufFile, ...]]:
    """The published quantizations of many models, each file read once. Raises InputError as `load_gguf_files` does."""
    ids, found = set(model_ids), dict[str, tuple[GgufFile, ...]]()
    reader = KnowledgeReader(directory)
    for path in sorted((directory / "gguf").glob("*.toml")):
        document = reader.read(path, "gguf")
        for model_id in sorted({row["model"] for row in document["file"]} & ids):
            found[model_id] = found.get(model_id, ()) + read_gguf_files(document, path, model_id)
    return found


def load_languages(directory: Path) -> LanguageNames:
    """Names of languages, regions and scripts. Raises InputError when the file cannot be used or repeats a tag."""
    path = directory / "languages.toml"
    document = KnowledgeReader(directory).read(path, "languages")
    names: dict[str, LanguageName] = {}
    for row in document["language"]:
        if row["tag"] in names:
            raise InputError(f"{path}: language[{row['tag']}]: the tag occurs twice")
        names[row["tag"]] = LanguageName(row["tag"], row["english"], row.get("own"), tuple(row.get("codes", ())))
    regions, scripts = document.get("regions", {}), document.get("scripts", {})
    return LanguageNames(names, regions, scripts, document.get("own_regions", {}))


def _hash(directory: Path, reader: KnowledgeReader) -> str:
    """SHA-256 over names and bytes of the files that the catalogue is made of, in order of their names."""
    files = [*(directory / "models").glob("*/*.toml"), *(directory / "licences").glob("*.toml")]
    files += [directory / "quantizations.toml", directory / "speed.toml", directory / "quality.toml"]
    names = sorted(path.relative_to(directory).as_posix() for path in files)
    digest = sha256()
    for name in names:
        content = reader.content(directory / name)
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _check_ids(found: Mapping[Path, Iterable[Model]]) -> None:
    seen: dict[str, Path] = {}
    for path, models in found.items():
        for model in models:
            if model.id in seen:
                why = f"it occurs in {seen[model.id]} too"
                raise InputError(f"{path}: model[{model.id}].id: the id is taken", why=why)
            seen[model.id] = path


def _check_references(found: Mapping[Path, Iterable[Model]], catalogue: Catalogue) -> None:
    ids = {model.id for model in catalogue.models}
    for path, models in found.items():
        for model in models:
            if model.licence not in catalogue.licences:
                raise _dangling(path, model, "licence", model.licence, catalogue.licences)
            if model.superseded_by is not None and model.superseded_by not in ids - {model.id}:
                raise _dangling(path, model, "superseded_by", model.superseded_by, ids - {model.id})


def _dangling(path: Path, model: Model, key: str, named: str, valid: Iterable[str]) -> InputError:
    kind = "licence" if key == "licence" else "other model"
    what = f"{path}: model[{model.id}].{key}: there is no {kind} {named!r}"
    return InputError(what, hint=nearest(named, valid))
