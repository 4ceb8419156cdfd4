"""Findings and changes as plain values, and the user's list of published files as TOML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tomlkit

from advisor.domain.model import GgufFile
from advisor.domain.upkeep.files import FileChange
from advisor.domain.upkeep.finding import Finding
from advisor.export.toml_text import fill

Document = dict[str, Any]


def finding_document(finding: Finding) -> Document:
    """A finding under the keys that others rely on."""
    return {
        "level": finding.level,
        "file": finding.file,
        "key": finding.key,
        "reason": finding.reason,
        "next": finding.fix,
    }


def change_document(change: FileChange) -> Document:
    """What happened to a published file, figure by figure."""
    return {
        "model": change.model,
        "repo": change.repo,
        "file": change.file,
        "change": change.kind,
        "fields": {
            field.name: {"before": _plain(field.before), "after": _plain(field.after)} for field in change.fields
        },
    }


def file_list_toml(model_id: str, files: Sequence[GgufFile]) -> str:
    """A model's published files in the format of knowledge/gguf."""
    keys: dict[tuple[str, str | None], str] = {}
    for file in files:
        keys.setdefault((file.source, file.checked), f"hub-{len(keys) + 1}")
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `llm-advisor catalog refresh`, which replaces it."))
    sources = {key: {"text": text, "checked": checked} for (text, checked), key in keys.items()}
    rows = [_row(model_id, file, keys[file.source, file.checked]) for file in files]
    fill(document, {"schema_version": 1, "sources": sources, "file": rows}, None)
    return tomlkit.dumps(document)


def _row(model_id: str, file: GgufFile, source: str) -> Document:
    return {
        "model": model_id,
        "repo": file.repo,
        "file": file.file,
        "quantization": file.quantization,
        "n_parts": file.n_parts,
        "n_bytes": file.n_bytes,
        "tensor_bytes": file.tensor_bytes,
        "sha256": list(file.sha256) or None,
        "source": source,
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
