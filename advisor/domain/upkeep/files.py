"""Published files of a model: lists from two places put together, and what differs between then and now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from advisor.domain.header import FILE_TYPES
from advisor.domain.model import GgufFile

ChangeKind = Literal["added", "changed", "gone"]

_COMPARED = ("quantization", "n_parts", "n_bytes", "tensor_bytes", "sha256")
_LABEL = re.compile(r"(?:^|[-_./ ])((?:UD-)?(?:I?Q\d|TQ\d|MXFP4|BF16|F16|F32)[A-Z0-9_]*)(?=$|[-./ ])", re.IGNORECASE)
_COMPANIONS = ("mmproj", "imatrix")
"""Files that lie beside a model and are none: its projector for images, what its quantizer looked at."""
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<end>\.gguf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One figure of a file before and after; None where it was or is not known."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happened to one published file."""

    model: str
    repo: str
    file: str
    kind: ChangeKind
    fields: tuple[FieldChange, ...]


def joined_files(shipped: Iterable[GgufFile], own: Iterable[GgufFile]) -> tuple[GgufFile, ...]:
    """The shipped list with the user's over it: a repository that the user's list names is taken from there whole,
    since a file that has gone from it would otherwise come back."""
    mine = tuple(own)
    named = {file.repo for file in mine}
    return (*[file for file in shipped if file.repo not in named], *mine)


def file_changes(model: str, before: Iterable[GgufFile], after: Iterable[GgufFile]) -> tuple[FileChange, ...]:
    """What differs between two lists of one model's files, ordered by repository and file."""
    old, new = _by_place(before), _by_place(after)
    found = []
    for repo, file in sorted(old.keys() | new.keys()):
        was, now = old.get((repo, file)), new.get((repo, file))
        kind: ChangeKind = "added" if was is None else "gone" if now is None else "changed"
        fields = _field_changes(was, now)
        if fields or kind != "changed":
            found.append(FileChange(model, repo, file, kind, fields))
    return tuple(found)


def _by_place(files: Iterable[GgufFile]) -> dict[tuple[str, str], GgufFile]:
    return {(file.repo, file.file): file for file in files}


def _field_changes(was: GgufFile | None, now: GgufFile | None) -> tuple[FieldChange, ...]:
    pairs = ((name, _shown(was, name), _shown(now, name)) for name in _COMPARED)
    return tuple(FieldChange(*pair) for pair in pairs if pair[1] != pair[2])


def _shown(file: GgufFile | None, name: str) -> object:
    value = None if file is None else getattr(file, name)
    # Nobody recorded the hash of a file without hashes.
    return None if value == () else value


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a repository as its list names it."""

    name: str
    n_bytes: int | None
    sha256: str | None
    """Of the content, where it is stored by Git LFS."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """The parts of one GGUF, in order; one part where it is not split."""

    parts: tuple[ListedFile, ...]

    @property
    def file(self) -> str:
        return self.parts[0].name

    @property
    def n_bytes(self) -> int | None:
        sizes = [part.n_bytes for part in self.parts]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def sha256(self) -> tuple[str, ...]:
        """One hash a part; none where one is missing."""
        hashes = tuple(part.sha256 for part in self.parts if part.sha256 is not None)
        return hashes if len(hashes) == len(self.parts) else ()


def listed_models(files: Iterable[ListedFile]) -> tuple[ListedModel, ...]:
    """The GGUF files of a list with the parts of split ones together, in order of name; incomplete ones left out."""
    whole: list[ListedModel] = []
    parts: dict[tuple[str, int], dict[int, ListedFile]] = {}
    for file in files:
        match = _PART.fullmatch(file.name)
        if match is not None:
            parts.setdefault((match["stem"], int(match["count"])), {})[int(match["number"])] = file
        elif file.name.lower().endswith(".gguf"):
            whole.append(ListedModel((file,)))
    for (_, count), numbered in parts.items():
        if sorted(numbered) == list(range(1, count + 1)):
            whole.append(ListedModel(tuple(numbered[i] for i in sorted(numbered))))
    return tuple(sorted(whole, key=lambda model: model.file))


def quantization_label(file: str, stated: str) -> str:
    """What to call a file's quantization: what its header states, unless the name says a publisher's own mixture.

    Such mixtures (`UD-Q4_K_XL`, `Q4_K_L`) have no number in llama.cpp, so their headers state the nearest.
    """
    name = re.sub(r"-\d{5}-of-\d{5}", "", file.rpartition("/")[2].removesuffix(".gguf"))
    companion = next((word for word in _COMPANIONS if word in name.lower()), None)
    if companion is not None:
        return companion
    labels: list[str] = [label.upper() for label in _LABEL.findall(name)]
    own = next((label for label in reversed(labels) if label not in FILE_TYPES.values()), None)
    if own is not None:
        return own
    if stated != "unknown":
        return stated
    return labels[-1] if labels else stated
