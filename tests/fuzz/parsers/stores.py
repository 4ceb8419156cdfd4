"""What other programs, and this one, left on the disk: Ollama's manifests, and everything remembered between runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from advisor import paths
from advisor.domain.basis import Basis
from advisor.domain.local_files import LocalFile, Match
from advisor.domain.matching import Index, index_of
from advisor.domain.speed import Speed
from advisor.domain.speed_report import Subject, place_for_speed
from advisor.engine import describe
from advisor.engine.codec import from_json, to_json
from advisor.engine.dry_run_cache import DryRunCache, key_of
from advisor.engine.messages import ContextParams, Description, DeviceBytes, DeviceDescription, FileType, MemoryFigures
from advisor.errors import InputError
from advisor.hub.model_folders import ModelFolder
from advisor.json_cache import JsonCache
from advisor.local_files.finding import find_files
from advisor.local_files.hashing import Hashes
from advisor.service import measurement_cache
from advisor.settings import remembered_theme
from tests.fuzz.codecs import Json
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.shared import advisor, default_constraints, desktop

_DIGEST = "ab" * 32


def ollama(raw: bytes, folder: Path) -> None:
    """A manifest, in a store that has the blob that sound ones name."""
    store = folder / "ollama"
    manifest = store / "manifests/registry.ollama.ai/library/llama3.2/1b"
    blob = store / f"blobs/sha256-{_DIGEST}"
    if not blob.exists():
        manifest.parent.mkdir(parents=True)
        blob.parent.mkdir()
        blob.write_bytes(b"GGUF")
    manifest.write_bytes(raw)
    kept = JsonCache(folder / "nothing.json", "")
    index = index_of((), {})
    found = find_files([ModelFolder("Ollama", store, "ollama")], lambda: index, kept, Hashes(kept))
    for file in found.files:
        assert Path(file.path) == blob
    if not found.files:
        raise InputError("it names no file that is there")


def caches(raw: bytes, folder: Path) -> None:
    """The same bytes as every file that is remembered. A broken one is as good as none."""
    cache_dir, state_dir = paths.cache_dir(), paths.state_dir()
    speed = measurement_cache._path(_subject(), desktop())
    for path in (
        cache_dir / "files.json",
        cache_dir / "engine.json",
        cache_dir / "sizes.json",
        speed,
        state_dir / "theme",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    speed_found = measurement_cache.recall(_subject(), desktop())
    figures = DryRunCache(cache_dir / "sizes.json", "0.3.36").get(key_of("x", ContextParams()))
    engine = describe._read_cache(cache_dir / "engine.json", _KEY)
    remembered_theme()
    files = _files(folder, cache_dir / "files.json")
    devices = () if engine is None else engine.devices.value or ()
    for found in (speed_found, figures, *devices, *files):
        if found is not None:
            # What is remembered is what it says it is, or it is not remembered.
            assert from_json(type(found), to_json(found)) == found
    if speed_found is None and figures is None and engine is None and not files:
        raise InputError("nothing of it is remembered")


def _files(folder: Path, path: Path) -> tuple[LocalFile, ...]:
    """The files that were taken from what is remembered."""
    models = folder / "models"
    if not models.exists():
        models.mkdir()
        (models / "x.gguf").write_bytes(b"GGUF")
    kept = JsonCache(path, "")
    for key in list(kept._entries):
        # The key of a remembered file holds its time of change, so whatever was remembered is taken for this one's.
        kept._entries = {_mark(models): kept._entries[key]}
        break
    made: list[Index] = []

    def index() -> Index:
        made.append(index_of((), {}))
        return made[0]

    found = find_files([ModelFolder("your folder", models)], index, kept, Hashes(kept))
    return () if made else found.files


def _mark(models: Path) -> str:
    from advisor.hub.scanning import Search
    from advisor.local_files import finding

    return finding._mark(list(Search().files([ModelFolder("your folder", models)])), ())


@cache
def _subject() -> Subject:
    from advisor.domain.pools import memory_pools

    model = advisor().model("mistral-7b-instruct-v0.3")
    pools = memory_pools(desktop(), default_constraints().machine, advisor().figures(desktop()))
    speed, constraints = advisor().catalogue.speed, default_constraints()
    placed = place_for_speed(
        model, "Q4_K_M", desktop(), pools, speed, constraints, prompt_tokens=None, depth_tokens=None
    )
    return placed.subject


_KEY: dict[str, Any] = {"format": 1}


def _manifest_seeds() -> Sequence[bytes]:
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{_DIGEST}", "size": 4},
        {"mediaType": "application/vnd.ollama.image.projector", "digest": f"sha256:{'cd' * 32}", "size": 4},
        {"mediaType": "application/vnd.ollama.image.license", "digest": f"sha256:{'ef' * 32}", "size": 4},
    ]
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{'01' * 32}"}
    return [json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode(), b'{"layers": []}']


@cache
def _cache_seeds() -> Sequence[bytes]:
    speed = Speed(10.0, 100.0, 50.0, 0.9, 1.1, 1024, 512, Basis.MEASURED, ("a",))
    figures = MemoryFigures(1, 2, 0, (DeviceBytes("CPU", 3),), (), (), ("CPU",), ("CPU",), True)
    devices = (DeviceDescription("CPU", "x", "cpu", 8, 4),)
    told = Description("0.3.36", "AVX2 = 1", False, devices, (FileType("Q4_0", 2),))
    match = Match("llama-3.2-1b-instruct", "Q4_0", "hash", "a/b")
    file = LocalFile(
        "/x.gguf", "your folder", "x", "model", 4, 1, "llama", "Q4_0", 3, True, ("a" * 64,), "computed", match
    )
    documents = [
        {**asdict(speed), "basis": "measured", "timed_on": "2026-11-20"},
        {"format": 1, "basis": "0.3.36", "entries": {key_of("x", ContextParams()): to_json(figures)}},
        {"key": _KEY, "description": to_json(told)},
        {"format": 1, "basis": "", "entries": {"x": asdict(file), "/x": {"n_bytes": 1, "mtime_ns": 2, "sha256": "a"}}},
    ]
    return [json.dumps(one).encode() for one in documents] + [b"textual-dark\n"]


_WORDS = (
    "layers", "mediaType", "digest", "application/vnd.ollama.image.model", f"sha256:{_DIGEST}", f"sha256-{_DIGEST}",
    "config", "schemaVersion",
)  # fmt: skip
_CACHE_WORDS = (
    "format", "basis", "entries", "figures", "engine", "0.3.36", "key", "description", "devices", "name", "kind",
    "total_bytes", "free_bytes", "version", "gpu_offload", "system_info", "measured", "assumed", "decode_tokens_per_s",
    "match", "sha256", "alike", "model", "projector", "path", "place", "n_bytes", "mtime_ns", "weights_bytes", "compute",
)  # fmt: skip

HARNESSES = (
    Harness(
        "ollama",
        "manifests in Ollama's store (JSON)",
        "`local_files.finding.find_files` over `hub.ollama.ollama_files`",
        ollama,
        _manifest_seeds,
        Json(),
        _WORDS,
    ),
    Harness(
        "caches",
        "what is remembered between runs: files, hashes, dry runs, speeds, the engine, the theme",
        "`json_cache.JsonCache`, `engine.dry_run_cache.DryRunCache`, `service.measurement_cache.recall`, `engine.describe`",
        caches,
        _cache_seeds,
        Json(),
        _CACHE_WORDS,
    ),
)
