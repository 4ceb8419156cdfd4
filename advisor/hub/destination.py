"""Where a downloaded file goes: huggingface_hub's cache, as its documentation lays it out, or a folder.

A partial file ends in `.incomplete` and gets its name only after its hash was checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from advisor.errors import NetworkError
from advisor.files import is_there, write_atomically
from advisor.hub.model_folders import hub_cache

_PLAIN = re.compile(r"[\w][\w.+() -]*")
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class FilePaths:
    """Three paths of one file."""

    whole: Path
    """The content once it is whole and checked."""
    partial: Path
    lock: Path
    link: Path | None = None
    """What the file is called by in the cache; points to `whole`."""

    @property
    def path(self) -> Path:
        """What to open."""
        return self.link or self.whole


class Destination(Protocol):
    """A place for downloads."""

    folder: Path
    """Where the space is taken."""

    def paths_of(self, file: str, file_sha256: str) -> FilePaths:
        """Where a file goes. Raises NetworkError for a name that could lead elsewhere."""

    def finish(self, revision_is_main: bool) -> None:
        """Called after all files are placed."""


class CacheDestination:
    """The Hugging Face cache, so that every program that uses it finds the file."""

    def __init__(self, repo: str, commit: str, env: Mapping[str, str] | None = None) -> None:
        cache = hub_cache(os.environ if env is None else env)
        name = "models--" + repo.replace("/", "--")
        self.folder = cache / name
        self._locks = cache / ".locks" / name
        self._commit = commit

    def paths_of(self, file: str, file_sha256: str) -> FilePaths:
        blob = self.folder / "blobs" / file_sha256
        link = self.folder / "snapshots" / self._commit / Path(*_parts(file))
        return FilePaths(blob, blob.with_name(f"{file_sha256}.incomplete"), self._locks / f"{file_sha256}.lock", link)

    def finish(self, revision_is_main: bool) -> None:
        """Say which commit `main` is, as huggingface_hub does, so that the file is found without a commit."""
        if revision_is_main:
            write_atomically(self.folder / "refs" / "main", self._commit, overwrite=True)


class FolderDestination:
    """A folder of the user's own; parts of a split model lie beside each other."""

    def __init__(self, folder: Path, locks: Path) -> None:
        self.folder = folder
        self._locks = locks

    def paths_of(self, file: str, file_sha256: str) -> FilePaths:
        whole = self.folder / _parts(file)[-1]
        key = sha256(os.fsencode(whole.absolute())).hexdigest()
        return FilePaths(whole, whole.with_name(f"{whole.name}.incomplete"), self._locks / f"{key}.lock")

    def finish(self, revision_is_main: bool) -> None:
        return


def link_up(target: FilePaths) -> None:
    """Give a file in the cache its name: by a relative link, or by a copy where links are not to be had."""
    if target.link is None or is_there(target.link):
        return
    target.link.parent.mkdir(parents=True, exist_ok=True)
    target.link.unlink(missing_ok=True)  # a link to nowhere
    try:
        target.link.symlink_to(os.path.relpath(target.whole, target.link.parent))
    except FileExistsError:
        return
    except (OSError, NotImplementedError):
        os.replace(target.whole, target.link)  # huggingface_hub too keeps a single copy where there are no links


def _parts(file: str) -> list[str]:
    """Folders and name of a file of the Hub, whose names are foreign and must stay below the destination."""
    parts = file.split("/")
    if any(not _PLAIN.fullmatch(part) or len(part) > _MAX_NAME for part in parts):
        raise NetworkError(f"the Hub's file name {file[:_MAX_NAME]!r} cannot be used", hint="Choose another file.")
    return parts
