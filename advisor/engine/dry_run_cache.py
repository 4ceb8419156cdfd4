"""Dry runs remembered until the engine changes: the same question has the same answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from advisor.engine.codec import from_json, to_json
from advisor.engine.messages import ContextParams, MemoryFigures
from advisor.json_cache import JsonCache

MOST_ENTRIES = 2000


def key_of(subject: str, context: ContextParams) -> str:
    """What a dry run depends on beside the engine; `subject` tells the model or the file apart."""
    text = json.dumps([subject, to_json(context)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class DryRunCache:
    """Figures by key, in one file for one version of the engine."""

    def __init__(self, path: Path, engine_version: str | None) -> None:
        self._version = engine_version
        self._cache = JsonCache(path, engine_version or "", most_entries=MOST_ENTRIES)

    def get(self, key: str) -> MemoryFigures | None:
        """The figures, or None where they are not remembered or cannot be read."""
        found = self._cache.get(key)
        try:
            return None if found is None else from_json(MemoryFigures, found)
        except ValueError:
            return None

    def put(self, key: str, figures: MemoryFigures) -> None:
        """Remember figures, unless nobody knows which engine they are of."""
        if self._version is not None:
            self._cache.put(key, to_json(figures))
            self._cache.save()
