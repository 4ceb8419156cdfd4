"""Which files stand trial: each known by header and hash, and what it takes in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.domain.hardware import Machine
from advisor.domain.header import max_context_of, shape_of, weights_of
from advisor.domain.local_files import LocalFile
from advisor.domain.matching import Index
from advisor.domain.placement import cpu_placement
from advisor.domain.pools import engine_uses_gpus, threads_for
from advisor.domain.sizing import size_model
from advisor.domain.trial.outcome import Contestant
from advisor.engine.messages import ContextParams
from advisor.errors import InputError
from advisor.gguf.split import read_model
from advisor.hub.scanning import SeenFile
from advisor.local_files.hashing import Hashes
from advisor.local_files.identifying import identify

_HEADROOM = 1.1
"""Memory beyond the footprint that must be free before two models run at once."""
_UNSIZED = 1.3
"""What a file of an architecture without sizing rules is taken to need, as a multiple of its size."""
_BATCH = 512
"""Tokens of a prompt that are computed at once; more would only enlarge the buffers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant with how it is run."""

    contestant: Contestant
    context: ContextParams
    needs_bytes: int
    """Memory that it takes, of whichever kind it runs in."""


def seen_file(path: Path) -> SeenFile:
    """A file that was named. Raises InputError where it is not there."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read", why=getattr(error, "strerror", None) or str(error)) from error
    return SeenFile(path.absolute(), "given", path.name, status.st_size, status.st_mtime_ns)


def look_at(path: Path, index: Index) -> LocalFile:
    """What a file is. Raises InputError for one that cannot answer: no model, a projector, a file without tokenizer."""
    found = identify([seen_file(path)], (), index)
    if found.kind != "model":
        what = {"unusable": found.reason or "it is no GGUF file"}.get(found.kind, f"it is a {found.kind}, no model")
        raise InputError(f"{path} cannot answer", why=what, hint="List files that can: llm-advisor files")
    if not found.has_tokenizer:
        raise InputError(f"{path} cannot answer", why="it has no tokenizer", hint="Choose a whole model file.")
    return found


def file_sha256(path: Path, hashes: Hashes, cancel: threading.Event | None = None) -> str:
    """The hash of a file, computed where it is not remembered. Raises InputError when cancelled, and for a file that
    cannot be read."""
    seen = seen_file(path)
    hashes.compute([seen], None, cancel)
    known = hashes.known([seen])
    if not known:
        raise InputError(f"{path} cannot be read to its end", hint="Download or copy it again.")
    return known[0]


def make_entries(
    files: Sequence[LocalFile],
    sha256_of: Callable[[Path], str],
    machine: Machine,
    context_tokens: int,
) -> list[Entry]:
    """Contestants by file, with names that differ. Raises InputError for a file that is there twice."""
    entries: list[Entry] = []
    for file in files:
        path = Path(file.path)
        sha256 = sha256_of(path)
        twin = next((e for e in entries if e.contestant.sha256 == sha256), None)
        if twin is not None:
            raise InputError(f"{path} and {twin.contestant.path} are the same file", why="their content is equal")
        match = file.match
        name = f"{match.model}:{match.quantization}" if match else path.stem
        if any(e.contestant.name == name for e in entries):
            name = f"{name} ({path.name}, {sha256[:8]})"
        contestant = Contestant(
            name, str(path), sha256, match.model if match else None, match.quantization if match else file.quantization
        )
        entries.append(Entry(contestant, *_placed(path, machine, context_tokens)))
    return entries


def _placed(path: Path, machine: Machine, context_tokens: int) -> tuple[ContextParams, int]:
    """How it is run, and what that takes: on a GPU where all of it fits into what is free there, else in RAM."""
    header = read_model(path)
    most = max_context_of(header.metadata) or context_tokens
    n_ctx = min(context_tokens, most)
    try:
        shape = shape_of(header.metadata, header.tensors)
        held = weights_of(header.tensors)
        sizing = size_model(path.name, shape, held, "", cpu_placement(n_ctx, threads=threads_for(machine)), 0)
        needs = sizing.footprint.total_bytes
    except InputError:
        needs = int(_UNSIZED * header.tensor_bytes)  # llama.cpp may know an architecture that has no rules here
    free_on_gpu = max((gpu.free_bytes.value or 0 for gpu in machine.gpus), default=0)
    on_gpu = engine_uses_gpus(machine) and needs * _HEADROOM <= free_on_gpu
    return ContextParams(n_ctx=n_ctx, n_batch=_BATCH, n_ubatch=_BATCH, n_gpu_layers=-1 if on_gpu else 0), needs


def choose_jobs(entries: Sequence[Entry], machine: Machine, asked: int | None) -> tuple[int, str | None]:
    """How many models run at once, and why not more where two were asked for.

    Two only where the footprints of the two largest fit the free memory together and each has a core of its own;
    unasked only where each has two. Models that use a GPU run one after the other.
    """
    cores = threads_for(machine)
    if len(entries) < 2 or asked == 1:
        return 1, None
    if any(entry.context.n_gpu_layers for entry in entries):
        return 1, "models on a GPU run one after the other" if asked else None
    free = machine.memory.available_bytes.value
    largest = sum(sorted((entry.needs_bytes for entry in entries), reverse=True)[:2])
    if free is None or largest * _HEADROOM > free:
        return 1, "two at once would not fit into the free memory" if asked else None
    if cores < (2 if asked else 4):
        return 1, "there is one core alone" if asked else None
    return 2, None
