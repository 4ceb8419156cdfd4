"""What a repository on the Hub holds, without downloading any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from advisor._json import parse_json
from advisor.domain.upkeep.files import ListedFile
from advisor.errors import InputError
from advisor.hub.access import HubAccess
from advisor.hub.http_errors import garbled
from advisor.hub.opening import ask

MAX_BYTES = 16 << 20
"""Of the answer; the largest repositories of quantized files have answers of a few hundred kB."""
MAX_FILES = 10_000
"""Of one repository; those with quantized files of every kind have a few hundred."""
MAX_NAME_CHARACTERS = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit."""

    repo: str
    commit: str
    files: tuple[ListedFile, ...]


def is_repository(name: str) -> bool:
    """Whether a name can be one of the Hub's: some published files lie elsewhere."""
    return _REPO.fullmatch(name) is not None and ".." not in name


def list_repository(access: HubAccess, repo: str) -> Repository:
    """Names, exact sizes and LFS hashes of a repository's files at its newest commit.

    Raises InputError for what is no name of a repository, NetworkError from the Hub: HubUnreachable where nobody
    answers, HubBusy where it asks to come back.
    """
    if not is_repository(repo):
        raise InputError(f"{repo!r} is no name of a repository", hint="Write owner/name.")
    # huggingface_hub reads an answer of any length into memory, and unpacks what is packed.
    content = ask(access, repo, f"/api/models/{repo}?blobs=true", MAX_BYTES)
    try:
        return _repository(repo, parse_json(content, name="the answer"))
    except (InputError, TypeError, KeyError, AttributeError) as error:
        raise garbled(repo, "it is no description of a model") from error


def _repository(repo: str, info: dict[str, Any]) -> Repository:
    commit, siblings = info.get("sha"), info.get("siblings")
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit) or not isinstance(siblings, list):
        raise garbled(repo, "it names no files or no commit")
    if len(siblings) > MAX_FILES:
        raise garbled(repo, f"it names {len(siblings):,} files, more than {MAX_FILES:,}")
    return Repository(repo, commit, tuple([_file(found) for found in siblings]))


def _file(found: dict[str, Any]) -> ListedFile:
    """A file of the answer. Raises TypeError, KeyError or AttributeError where it is none."""
    size, sha256 = found.get("size"), (found.get("lfs") or {}).get("sha256")
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 < size < 1 << 63
    is_hash = isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None
    name = str(found["rfilename"])
    if len(name) > MAX_NAME_CHARACTERS:
        raise TypeError("no file has such a name")
    return ListedFile(name, size if is_size else None, sha256 if is_hash else None)
