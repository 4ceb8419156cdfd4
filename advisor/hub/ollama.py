"""Ollama's store: manifests name layers, and the blob of a layer is called by its hash.

Source: ollama's `server/manifest.go` and `types/model/name.go`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from advisor.files import is_file

MAX_MANIFESTS = 10_000
MAX_MANIFEST_BYTES = 1 << 20
MAX_LAYERS = 256
"""Of one manifest; models have under ten."""
_LAYERS = {"application/vnd.ollama.image.model": "", "application/vnd.ollama.image.projector": " (projector)"}
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")


def ollama_files(store: Path, note: Callable[[str], None]) -> Iterator[tuple[Path, str, str]]:
    """Blob, tag and stated SHA-256 of every model and projector that a manifest names, in order of tag."""
    for manifest in _manifests(store / "manifests", note):
        tag = _tag(manifest.relative_to(store / "manifests").parts)
        for kind, digest in _layers(manifest, note):
            path = _blob(store / "blobs", digest)
            if path is None:
                note(f"Ollama's {tag} names a file that is not there: sha256-{digest[:12]}…")
            else:
                yield path, f"{tag}{_LAYERS[kind]}", digest


def _manifests(folder: Path, note: Callable[[str], None]) -> list[Path]:
    """Manifests lie four levels deep: host, namespace, model, tag. Links are not followed."""
    found: list[Path] = []
    for here, folders, names in os.walk(folder, onerror=lambda e: note(f"{e.filename} cannot be read: {e.strerror}")):
        place = Path(here)
        depth = len(place.relative_to(folder).parts)
        folders[:] = sorted(folders) if depth < 3 else []
        if depth == 3:
            found += [place / name for name in sorted(names) if not name.startswith(".")]
        if len(found) > MAX_MANIFESTS:
            break
    return found[:MAX_MANIFESTS]


def _tag(parts: tuple[str, ...]) -> str:
    host, namespace, model, tag = parts
    where = "" if host == "registry.ollama.ai" else f"{host}/"
    owner = "" if namespace == "library" and not where else f"{namespace}/"
    return f"{where}{owner}{model}:{tag}"


def _layers(manifest: Path, note: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    try:
        status = manifest.stat()
        # A pipe would keep whoever opens it waiting for ever.
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_MANIFEST_BYTES:
            raise ValueError("no file, or too long")
        document = json.loads(manifest.read_text("utf-8"))
        layers = document["layers"]
        pairs = [(layer["mediaType"], layer["digest"]) for layer in layers[:MAX_LAYERS]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        note(f"{manifest} is no manifest of Ollama")
        return
    for kind, digest in pairs:
        match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
        if isinstance(kind, str) and kind in _LAYERS and match is not None:
            yield kind, match[1]


def _blob(folder: Path, digest: str) -> Path | None:
    """Before 2024 the separator was a colon, which Windows does not allow."""
    return next((p for p in (folder / f"sha256-{digest}", folder / f"sha256:{digest}") if is_file(p)), None)
