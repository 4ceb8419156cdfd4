"""Models of the catalogue as plain values, for `--json` of `models` and `show`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from advisor.domain.model import GgufFile, Model

Document = dict[str, Any]


def listing_document(models: Iterable[Model], version: str) -> Document:
    """The catalogue in short."""
    return {"catalogue": {"version": version}, "models": [_listed(model) for model in models]}


def _listed(model: Model) -> Document:
    languages = model.languages.supported
    return {
        "id": model.id,
        "name": model.name,
        "family": model.family,
        "hf_id": model.hf_id,
        "release_date": model.release_date,
        "total_params": model.total_params,
        "active_params": model.active_params,
        "max_context_tokens": model.max_context_tokens,
        "licence": model.licence,
        "languages": None if languages is None else list(languages),
        **_standing(model),
    }


def _standing(model: Model) -> Document:
    return {
        "modalities": list(model.modalities),
        "status": model.status,
        "superseded_by": model.superseded_by,
        "related_only": model.related_only,
        "overlay": model.overlay,
        "base": model.base,
    }


def model_document(model: Model, files: tuple[GgufFile, ...]) -> Document:
    """A model with the source of each field."""
    shape = asdict(model.shape) if model.shape else None
    return {
        "id": model.id,
        "name": model.name,
        "family": model.family,
        "line": model.line,
        "hf_id": model.hf_id,
        "release_date": model.release_date,
        "total_params": model.total_params,
        "text_params": model.text_params,
        "vision_params": model.vision_params,
        "active_params": model.active_params,
        "max_context_tokens": model.max_context_tokens,
        "rope_theta": model.rope_theta,
        "gated": model.gated,
        "licence": model.licence,
        "languages": None if model.languages.supported is None else list(model.languages.supported),
        "languages_by_modality": {key: list(tags) for key, tags in model.languages.by_modality.items()},
        **_standing(model),
        "shape": shape,
        "shape_reason": model.shape_reason,
        "benchmarks": [asdict(b) for b in model.benchmarks],
        "ecosystem": {
            "gguf_repos": list(model.ecosystem.gguf_repos),
            "facts": [asdict(f) for f in model.ecosystem.facts],
        },
        "notes": list(model.notes),
        "unknowns": dict(sorted(model.unknowns.items())),
        "sources": {key: asdict(found) for key, found in sorted(model.provenance.items())},
        "files": [{**asdict(file), "sha256": list(file.sha256)} for file in files],
    }
