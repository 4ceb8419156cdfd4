"""SHA-256 of whole files, computed when somebody asks and remembered by path, size and time of change."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.errors import InputError
from advisor.hub.scanning import SeenFile
from advisor.json_cache import JsonCache

if TYPE_CHECKING:
    from advisor.domain.transfer import Transfer

CHUNK_BYTES = 1 << 20
_EVENT_EVERY_S = 0.1


class Hashes:
    """Hashes by path, valid as long as size and time of change are the same."""

    def __init__(self, kept: JsonCache) -> None:
        self._kept = kept

    def known(self, parts: Sequence[SeenFile]) -> tuple[str, ...]:
        """One hash a part, or none where one is not known."""
        found = [self._of(part) for part in parts]
        return tuple(text for text in found if text is not None) if None not in found else ()

    def _of(self, seen: SeenFile) -> str | None:
        document = self._kept.get(str(seen.path)) or {}
        text = document.get("sha256")
        is_same = (document.get("n_bytes"), document.get("mtime_ns")) == (seen.n_bytes, seen.mtime_ns)
        return text if is_same and isinstance(text, str) else None

    def remember(self, path: Path, sha256: str) -> None:
        """Keep what was computed for a file as it is now."""
        status = path.stat()
        self._put(path, status.st_size, status.st_mtime_ns, sha256)

    def _put(self, path: Path, n_bytes: int, mtime_ns: int, sha256: str) -> None:
        self._kept.put(str(path), {"n_bytes": n_bytes, "mtime_ns": mtime_ns, "sha256": sha256})
        self._kept.save()

    def compute(
        self, files: Sequence[SeenFile], on_event: Callable[[Transfer], None] | None, cancel: threading.Event | None
    ) -> None:
        """Hash the files that are not known. One that cannot be read stays unknown. Raises InputError when cancelled.

        What was hashed before a cancellation stays known.
        """
        from advisor.domain.transfer import Rate, Transfer

        todo = [seen for seen in files if self._of(seen) is None]
        total, done, rate, last = sum(seen.n_bytes for seen in todo), 0, Rate(), 0.0
        for n, seen in enumerate(todo, start=1):
            digest = hashlib.sha256()
            try:
                with seen.path.open("rb") as stream:
                    while chunk := stream.read(CHUNK_BYTES):
                        if cancel is not None and cancel.is_set():
                            raise InputError("the hashing was cancelled", hint="Hashes that were done are kept.")
                        digest.update(chunk)
                        done += len(chunk)
                        now = time.monotonic()
                        rate.note(now, done)
                        if on_event is not None and now - last >= _EVENT_EVERY_S:
                            last = now
                            on_event(Transfer("check", seen.path.name, n, len(todo), done, total, rate.bytes_per_s))
                # A file that changed meanwhile has another time by now, and this hash is never asked for again.
                self._put(seen.path, seen.n_bytes, seen.mtime_ns, digest.hexdigest())
            except OSError:
                continue
