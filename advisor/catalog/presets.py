"""The presets, read from `presets.toml` and held against the questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor.catalog.sealed import KnowledgeReader
from advisor.domain.answers import constraints_from, merge_document
from advisor.domain.presets import Preset
from advisor.domain.questions import Questionnaire
from advisor.errors import InputError
from advisor.files import is_file


def load_presets(directory: Path, questionnaire: Questionnaire) -> tuple[Preset, ...]:
    """The presets of a knowledge directory in their order; none where it has no such file.

    Raises InputError naming the file, the preset and what is wrong with it.
    """
    path = directory / "presets.toml"
    if not is_file(path):
        return ()
    document = KnowledgeReader(directory).read(path, "presets")
    presets = tuple(_preset(entry, path, questionnaire) for entry in document["preset"])
    ids = [preset.id for preset in presets]
    repeated = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    if repeated is not None:
        raise InputError(f"{path}: preset[{repeated}].id: the id is taken")
    return presets


def _preset(entry: Mapping[str, Any], path: Path, questionnaire: Questionnaire) -> Preset:
    name = f"{path}: preset[{entry['id']}].answers"
    answers = merge_document(questionnaire, {}, entry["answers"], name=name)
    try:
        constraints_from({**questionnaire.defaults(), **answers})
    except InputError as error:
        raise InputError(f"{name}: {error.what}", why=error.why, hint=error.hint) from error
    return Preset(entry["id"], entry["title"], entry["sentence"], answers)
