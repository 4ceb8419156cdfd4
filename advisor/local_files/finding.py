"""Files of this machine found and identified; what was learned of a file is remembered until it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.domain.local_files import LocalFile, LocalFiles
from advisor.engine.codec import from_json
from advisor.hub.model_folders import ModelFolder
from advisor.hub.scanning import Search, SeenFile
from advisor.json_cache import JsonCache
from advisor.local_files.hashing import Hashes

if TYPE_CHECKING:
    from advisor.domain.matching import Index
    from advisor.domain.transfer import Transfer

OnTransfer = Callable[["Transfer"], None]

_ORDER = {"model": 0, "projector": 1, "adapter": 2, "vocabulary": 3, "unusable": 4}


def find_files(
    places: Sequence[ModelFolder],
    index: Callable[[], Index],
    kept: JsonCache,
    hashes: Hashes,
    *,
    hashed: bool = False,
    on_event: OnTransfer | None = None,
    cancel: threading.Event | None = None,
) -> LocalFiles:
    """Every GGUF in the places. `index` is made only where a file is not remembered; `hashed` reads whole files.

    Raises InputError when cancelled while hashing; nothing else.
    """
    search = Search()
    seen = list(search.files(places))
    sets = _sets(seen) if seen else []
    if hashed:
        hashes.compute([part for parts in sets for part in parts], on_event, cancel)
    made: list[Index] = []
    files = []
    for parts in sets:
        known = hashes.known(parts)
        mark = _mark(parts, known)
        remembered = _from_document(kept.get(mark))
        if remembered is None:
            # Reading headers and lists is loaded only where a file is new.
            from advisor.local_files.identifying import identify

            made = made or [index()]
            remembered = identify(parts, known, made[0])
            kept.put(mark, asdict(remembered))
        files.append(replace(remembered, place=parts[0].place, label=parts[0].label, path=str(parts[0].path)))
    kept.save()
    files.sort(key=lambda f: (_ORDER[f.kind], f.match is None, f.place, f.path))
    return LocalFiles(tuple(files), tuple((p.name, str(p.folder)) for p in places), tuple(search.notes))


def _sets(found: Iterable[SeenFile]) -> list[list[SeenFile]]:
    """Files with the parts of split ones together; a part without its fellows stands alone and is told as that."""
    from advisor.domain.upkeep.files import ListedFile, listed_models

    folders: dict[tuple[str, Path], dict[str, SeenFile]] = {}
    for seen in found:
        folders.setdefault((seen.place, seen.path.parent), {})[seen.path.name] = seen
    sets = []
    for by_name in folders.values():
        whole = listed_models([ListedFile(name, None, None) for name in by_name])
        sets += [[by_name[part.name] for part in model.parts] for model in whole]
        taken = {part.name for model in whole for part in model.parts}
        sets += [[seen] for name, seen in by_name.items() if name not in taken]
    return sets


def _mark(parts: Sequence[SeenFile], known: tuple[str, ...]) -> str:
    """What tells a file apart from what it was before."""
    state = [(str(p.path), p.n_bytes, p.mtime_ns, p.published, p.stated_sha256) for p in parts]
    return sha256(repr((state, known)).encode("utf-8", "surrogateescape")).hexdigest()


def _from_document(document: dict[str, Any] | None) -> LocalFile | None:
    """A remembered file; None where it is not one."""
    if document is None:
        return None
    try:
        return from_json(LocalFile, document)
    except ValueError:
        return None
