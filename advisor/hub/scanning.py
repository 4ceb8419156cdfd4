"""Looks through folders for GGUF files: bounded, without following a loop, and never failing over what it meets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from advisor.files import is_folder
from advisor.hub.model_folders import ModelFolder
from advisor.hub.ollama import ollama_files
from advisor.units import counted
from advisor.values import value

MAX_FILES = 10_000
"""GGUF files altogether."""
MAX_ENTRIES = 500_000
"""Directory entries altogether: a chosen folder may be a whole disk."""
MAX_DEPTH = 16
MAX_NOTES = 20

_SHA256 = re.compile(r"[0-9a-f]{64}")


@value
class SeenFile:
    """A file as it lies there, unread."""

    path: Path
    place: str
    label: str
    n_bytes: int
    mtime_ns: int
    published: tuple[str, str] | None = None
    """Repository and file, in the Hugging Face cache."""
    stated_sha256: str | None = None
    """What the owner of the folder calls the content by."""


@dataclass
class Search:
    """One look through all places; what it could not read stands in `notes`."""

    notes: list[str] = field(default_factory=list)
    _n_entries: int = 0
    _n_files: int = 0
    _n_unread: int = 0
    _folders: set[tuple[int, int]] = field(default_factory=set)
    _files: set[tuple[int, int]] = field(default_factory=set)

    def files(self, places: Iterable[ModelFolder]) -> Iterator[SeenFile]:
        """Each file once, under the first name it was met by, in order of place and path."""
        for place in places:
            if not is_folder(place.folder):
                if place.name == "your folder":
                    self._note(f"{place.folder} is no folder")
                continue
            yield from self._of(place)
        if self._n_unread > MAX_NOTES:
            self.notes.append(f"{counted(self._n_unread - MAX_NOTES, 'more place')} could not be read")

    def _of(self, place: ModelFolder) -> Iterator[SeenFile]:
        if place.layout == "ollama":
            for path, tag, sha256 in ollama_files(place.folder, self._note):
                yield from self._seen(path, place, tag, stated_sha256=sha256)
            return
        roots = [place.folder] if place.layout == "folder" else self._snapshots(place.folder)
        for root in roots:
            for path in self._walk(root):
                if place.layout == "hub":
                    yield from self._published(path, root, place)
                else:
                    yield from self._seen(path, place, path.name)

    def _snapshots(self, cache: Path) -> list[Path]:
        try:
            repos = sorted(p for p in cache.iterdir() if p.name.startswith("models--"))
        except OSError as error:
            self._note(f"{cache} cannot be read: {error.strerror or error}")
            return []
        return [repo / "snapshots" for repo in repos if is_folder(repo / "snapshots")]

    def _published(self, path: Path, root: Path, place: ModelFolder) -> Iterator[SeenFile]:
        repo = root.parent.name.removeprefix("models--").replace("--", "/")
        file = "/".join(path.relative_to(root).parts[1:])
        blob = Path(os.path.realpath(path))
        sha256 = blob.name if blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name) else None
        yield from self._seen(path, place, f"{repo}/{file}", published=(repo, file), stated_sha256=sha256)

    def _seen(
        self,
        path: Path,
        place: ModelFolder,
        label: str,
        published: tuple[str, str] | None = None,
        stated_sha256: str | None = None,
    ) -> Iterator[SeenFile]:
        try:
            status = path.stat()
        except OSError as error:
            self._note(f"{path} cannot be read: {error.strerror or error}")
            return
        key = (status.st_dev, status.st_ino)
        if key in self._files or self._is_full(self._n_files, MAX_FILES, "GGUF files"):
            return
        self._files.add(key)
        self._n_files += 1
        yield SeenFile(path, place.name, label, status.st_size, status.st_mtime_ns, published, stated_sha256)

    def _walk(self, root: Path) -> Iterator[Path]:
        waiting = [(root, 0)]
        while waiting:
            folder, depth = waiting.pop()
            inside: list[tuple[Path, int]] = []
            for path, leads_deeper in self._entries(folder):
                if not leads_deeper:
                    yield path
                elif depth < MAX_DEPTH:
                    inside.append((path, depth + 1))
            waiting += reversed(inside)

    def _entries(self, folder: Path) -> Iterator[tuple[Path, bool]]:
        """Folders and GGUF files of a folder that was not looked through before."""
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in self._folders:
                return
            self._folders.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self._note(f"{folder} cannot be read: {error.strerror or error}")
            return
        for entry in entries:
            if self._is_full(self._n_entries, MAX_ENTRIES, "directory entries"):
                return
            self._n_entries += 1
            try:
                if entry.is_dir():
                    yield folder / entry.name, True
                elif entry.name.lower().endswith(".gguf") and entry.is_file():
                    yield folder / entry.name, False
            except OSError as error:
                self._note(f"{folder / entry.name} cannot be read: {error.strerror or error}")

    def _is_full(self, n: int, most: int, what: str) -> bool:
        text = f"the search ended after {most:,} {what}; name a smaller folder"
        if n >= most and text not in self.notes:
            self.notes.append(text)
        return n >= most

    def _note(self, text: str) -> None:
        self._n_unread += 1
        if self._n_unread <= MAX_NOTES:
            self.notes.append(text)
