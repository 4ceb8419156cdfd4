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
from advisor.files import write_atomically
from advisor.hub.places import hub_cache

_PLAIN = re.compile(r"[\w][\w.+() -]*")
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Spot:
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


class Shelf(Protocol):
    """A place for downloads."""

    folder: Path
    """Where the space is taken."""

    def spot(self, file: str, file_sha256: str) -> Spot:
        """Where a file goes. Raises NetworkError for a name that could lead elsewhere."""

    def finish(self, revision_is_main: bool) -> None:
        """Called after all files are placed."""


class CacheShelf:
    """The Hugging Face cache, so that every program that uses it finds the file."""

    def __init__(self, repo: str, commit: str, env: Mapping[str, str] | None = None) -> None:
        cache = hub_cache(os.environ if env is None else env)
        name = "models--" + repo.replace("/", "--")
        self.folder = cache / name
        self._locks = cache / ".locks" / name
        self._commit = commit

    def spot(self, file: str, file_sha256: str) -> Spot:
        blob = self.folder / "blobs" / file_sha256
        link = self.folder / "snapshots" / self._commit / Path(*_parts(file))
        return Spot(blob, blob.with_name(f"{file_sha256}.incomplete"), self._locks / f"{file_sha256}.lock", link)

    def finish(self, revision_is_main: bool) -> None:
        """Say which commit `main` is, as huggingface_hub does, so that the file is found without a commit."""
        if revision_is_main:
            write_atomically(self.folder / "refs" / "main", self._commit, overwrite=True)


class FolderShelf:
    """A folder of the user's own; parts of a split model lie beside each other."""

    def __init__(self, folder: Path, locks: Path) -> None:
        self.folder = folder
        self._locks = locks

    def spot(self, file: str, file_sha256: str) -> Spot:
        whole = self.folder / _parts(file)[-1]
        key = sha256(os.fsencode(whole.absolute())).hexdigest()
        return Spot(whole, whole.with_name(f"{whole.name}.incomplete"), self._locks / f"{key}.lock")

    def finish(self, revision_is_main: bool) -> None:
        return


def link_up(spot: Spot) -> None:
    """Give a file in the cache its name: by a relative link, or by a copy where links are not to be had."""
    if spot.link is None or spot.link.exists():
        return
    spot.link.parent.mkdir(parents=True, exist_ok=True)
    spot.link.unlink(missing_ok=True)  # a link to nowhere
    try:
        spot.link.symlink_to(os.path.relpath(spot.whole, spot.link.parent))
    except FileExistsError:
        return
    except (OSError, NotImplementedError):
        os.replace(spot.whole, spot.link)  # huggingface_hub too keeps a single copy where there are no links


def _parts(file: str) -> list[str]:
    """Folders and name of a file of the Hub, whose names are foreign and must stay below the shelf."""
    parts = file.split("/")
    if any(not _PLAIN.fullmatch(part) or len(part) > _MAX_NAME for part in parts):
        raise NetworkError(f"the Hub's file name {file[:_MAX_NAME]!r} cannot be used", hint="Choose another file.")
    return parts
