"""Dry runs remembered until the engine changes: the same question has the same answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from advisor._json import parse_json
from advisor.engine.codec import from_json, to_json
from advisor.engine.messages import ContextParams, MemoryFigures
from advisor.errors import InputError
from advisor.files import read_bounded, write_atomically
from advisor.units import MIB

CACHE_FORMAT = 1
MOST_ENTRIES = 2000
MAX_BYTES = 32 * MIB


def key_of(subject: str, context: ContextParams) -> str:
    """What a dry run depends on beside the engine; `subject` tells the model or the file apart."""
    text = json.dumps([subject, to_json(context)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Remembered:
    """Figures by key, in one file for one version of the engine."""

    def __init__(self, path: Path, engine_version: str | None) -> None:
        self._path = path
        self._version = engine_version
        self._figures = self._read()

    def get(self, key: str) -> MemoryFigures | None:
        """The figures, or None where they are not remembered or cannot be read."""
        try:
            return from_json(MemoryFigures, self._figures[key]) if key in self._figures else None
        except ValueError:
            return None

    def put(self, key: str, figures: MemoryFigures) -> None:
        """Remember figures. A cache that cannot be written is no error: the next run asks the engine again."""
        if self._version is None:
            return
        self._figures[key] = to_json(figures)
        kept = dict(list(self._figures.items())[-MOST_ENTRIES:])
        document = {"format": CACHE_FORMAT, "engine": self._version, "figures": kept}
        try:
            write_atomically(self._path, json.dumps(document), overwrite=True)
        except InputError:
            return

    def _read(self) -> dict[str, Any]:
        try:
            stored = parse_json(read_bounded(self._path, MAX_BYTES), name=str(self._path))
        except InputError:
            return {}  # it is made anew
        is_ours = isinstance(stored, dict) and stored.get("format") == CACHE_FORMAT
        if not is_ours or stored.get("engine") != self._version or not isinstance(stored.get("figures"), dict):
            return {}
        found: dict[str, Any] = stored["figures"]
        return found
