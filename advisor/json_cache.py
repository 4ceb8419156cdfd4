"""What can be learned again, kept in one JSON file: by key, for one basis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from advisor._json import parse_json
from advisor.errors import InputError
from advisor.files import read_bounded, write_atomically
from advisor.units import MIB

FORMAT = 1
MAX_BYTES = 32 * MIB


class JsonCache:
    """Documents by key. All are void once `basis`, which tells what they rest on, is another."""

    def __init__(self, path: Path, basis: str, *, most_entries: int = 20_000) -> None:
        self._path = path
        self._basis = basis
        self._most_entries = most_entries
        self._entries = self._read()
        self._is_changed = False

    def get(self, key: str) -> dict[str, Any] | None:
        """The document of a key; None where there is none."""
        found = self._entries.get(key)
        return found if isinstance(found, dict) else None

    def put(self, key: str, document: dict[str, Any]) -> None:
        """Keep a document until `save` writes it. Of too many, those that came first are left out."""
        self._entries[key] = document
        self._is_changed = True

    def save(self) -> None:
        """Write what is new. A cache that cannot be written is no error: it is learned again."""
        if not self._is_changed:
            return
        entries = dict(list(self._entries.items())[-self._most_entries :])
        text = json.dumps({"format": FORMAT, "basis": self._basis, "entries": entries})
        try:
            write_atomically(self._path, text, overwrite=True)
        except (InputError, ValueError):
            return
        self._is_changed = False

    def _read(self) -> dict[str, Any]:
        try:
            stored = parse_json(read_bounded(self._path, MAX_BYTES), name=str(self._path))
        except InputError:
            return {}
        if not isinstance(stored, dict) or (stored.get("format"), stored.get("basis")) != (FORMAT, self._basis):
            return {}
        entries = stored.get("entries")
        return entries if isinstance(entries, dict) else {}
