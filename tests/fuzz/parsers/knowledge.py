"""The user's own catalogue entries, and whole knowledge directories that LLM_ADVISOR_KNOWLEDGE points to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from advisor.catalog.audit import audit
from advisor.catalog.hardware import load_cpus, load_gpus
from advisor.catalog.inspection import inspect
from advisor.catalog.licences import load_licences
from advisor.catalog.loader import load_gguf_files, load_languages
from advisor.catalog.models import read_models, read_quantizations
from advisor.catalog.overlay import with_overlay
from advisor.catalog.presets import load_presets
from advisor.catalog.quality import load_quality
from advisor.catalog.questions import load_questionnaire
from advisor.catalog.sealed import KnowledgeReader
from advisor.catalog.serving import load_nodes, load_serving
from advisor.catalog.smoke import load_questions
from advisor.catalog.speed import load_speed
from advisor.errors import InputError
from advisor.paths import knowledge_dir
from tests.fuzz.codecs import Toml
from tests.fuzz.harness import Harness
from tests.fuzz.parsers.shared import advisor
from tests.hub.conftest import ENTRY
from tests.hub.fetching import SMOL_ENTRY

_TODAY = date(2026, 11, 28)
_BASE = "models/llama/llama-3.2.toml"


def overlay(raw: bytes, folder: Path) -> None:
    """The input as model entries and as a list of published files; whatever it is, `catalog validate` only tells."""
    own, shipped = folder / "overlay", _small_knowledge(folder)
    for place in ("models", "gguf"):
        (own / place).mkdir(parents=True, exist_ok=True)
        (own / place / "mine.toml").write_bytes(raw)
    audit(shipped, own, _TODAY)
    try:
        if load_gguf_files(own, "tiny-tune"):
            return
    except InputError:
        pass  # it may be a file of models
    with_overlay(advisor().catalogue, shipped, own)


def _small_knowledge(folder: Path) -> Path:
    """A knowledge directory with one file of models, since every base is looked for in all of them."""
    small = folder / "knowledge"
    target = small / _BASE
    if not target.exists():
        target.parent.mkdir(parents=True)
        target.write_bytes((knowledge_dir() / _BASE).read_bytes())
    return small


_BESIDE = {
    "questions": ("languages.toml",),
    "presets": ("questions.toml", "languages.toml"),
    "speed": ("quantizations.toml",),
    "gguf": (_BASE,),
}
"""What a kind refers to."""
Loader = Callable[[Path, Path], Any]
"""Takes the directory and the file."""

_PLACES: dict[str, tuple[str, Loader]] = {
    "models": ("models/x/x.toml", lambda d, p: read_models(KnowledgeReader(d).read(p, "models"), p)),
    "gguf": ("gguf/x.toml", lambda d, _: load_gguf_files(d, "tiny-tune")),
    "licences": ("licences/x.toml", lambda d, _: load_licences(d)),
    "quantizations": (
        "quantizations.toml",
        lambda d, p: read_quantizations(KnowledgeReader(d).read(p, "quantizations"), p),
    ),
    "languages": ("languages.toml", lambda d, _: load_languages(d)),
    "questions": ("questions.toml", lambda d, _: load_questionnaire(d)),
    "presets": ("presets.toml", lambda d, _: load_presets(d, advisor().questionnaire)),
    "smoke": ("smoke.toml", lambda d, _: load_questions(d)),
    "gpus": ("hardware/gpus.toml", lambda d, _: load_gpus(d)),
    "cpus": ("hardware/cpus.toml", lambda d, _: load_cpus(d)),
    "nodes": ("hardware/nodes.toml", lambda d, _: load_nodes(d, advisor().gpu_specs)),
    "speed": ("speed.toml", lambda d, _: load_speed(d)),
    "serving": ("serving.toml", lambda d, _: load_serving(d)),
    "quality": ("quality.toml", lambda d, _: load_quality(d)),
}


def knowledge(raw: bytes, folder: Path) -> None:
    """One knowledge file; its first line is a comment with its kind."""
    kind = raw.partition(b"\n")[0].decode("utf-8", "replace").strip("# \r")
    place, load = _PLACES.get(kind, _PLACES["models"])
    directory = folder / f"kind-{kind if kind in _PLACES else 'models'}"
    path = directory / place
    if kind == "licences":
        # A licence file is called by its id.
        path = path.with_name(f"{_licence_id(raw)}.toml")
        for other in path.parent.glob("*.toml"):
            other.unlink()
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        for name in _BESIDE.get(kind, ()):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes((knowledge_dir() / name).read_bytes())
    path.write_bytes(raw)
    inspect(directory, folder / "nowhere")
    load(directory, path)


def _licence_id(raw: bytes) -> str:
    match = re.search(rb'^id = "([a-z0-9.-]{1,60})"', raw, re.MULTILINE)
    return match[1].decode() if match else "x"


@cache
def _overlay_seeds() -> Sequence[bytes]:
    listed = b"""schema_version = 1
[sources.hub-1]
text = "Hugging Face Hub"
checked = "2026-11-20"
[[file]]
model = "tiny-tune"
repo = "example/Tiny-Tune-GGUF"
file = "Tiny-Tune-Q4_0.gguf"
quantization = "Q4_0"
n_parts = 1
n_bytes = 1234
tensor_bytes = 1000
source = "hub-1"
"""
    shipped = (knowledge_dir() / _BASE).read_bytes()
    model = b'[[model]]\nid = "b"\nbase = "tiny-tune"\nname = "B"\nhf_id = {value = "a/b", source = "mine"}\n'
    row = b'[[model.benchmark]]\nname = "MMLU"\nscore = 60.0\nsetting = "5-shot"\nsource = "mine"\n'
    chain = (
        ENTRY.encode() + model + b'licence = {value = "llama3.2", source = "mine"}\nsuperseded_by = "tiny-tune"\n' + row
    )
    return [ENTRY.encode(), SMOL_ENTRY.encode(), listed, shipped, chain]


@cache
def _knowledge_seeds() -> Sequence[bytes]:
    found = []
    for kind, (place, _) in _PLACES.items():
        pattern = place.replace("x/x.toml", "*/*.toml").replace("/x.toml", "/*.toml")
        shipped = sorted(knowledge_dir().glob(pattern), key=lambda path: path.stat().st_size)
        kept = shipped if kind == "licences" else [path for path in shipped if path.stem in _SPECIAL] or shipped
        found += [f"# {kind}\n".encode() + path.read_bytes() for path in kept[: _MOST.get(kind, 2)]]
    return found


_SPECIAL = ("llama-4", "mistral-small-4", "codestral", "mathstral", "voxtral")
"""Models with experts, windows, latent attention, state spaces and other media."""
_MOST = {"licences": 12, "models": 5}


_WORDS = (
    "schema_version", "sources", "text", "checked", "url", "model", "id", "base", "name", "hf_id", "value", "source",
    "unknown", "note", "gguf_repos", "licence", "family", "line", "vendor", "release_date", "status", "superseded_by",
    "shape", "shape_reason", "experts", "window", "latent", "state_space", "n_layers", "hidden_size", "n_heads", "file",
    "benchmark", "languages", "languages_by_modality", "missing", "notes", "ecosystem", "llama-3.2-1b-instruct",
    "llama-3.2-3b-instruct", "tiny-tune", "mine", "llama3.2", "apache-2.0", "repo", "quantization", "n_parts", "sha256",
    "gpu", "cpu", "aliases", "bandwidth_gb_s", "node", "question", "section", "key", "choices", "pattern", "min", "max",
    "default", "preset", "answers", "language", "tag", "regions", "scripts",
)  # fmt: skip

HARNESSES = (
    Harness(
        "overlay",
        "the user's own catalogue entries and lists of files (TOML)",
        "`catalog.overlay.with_overlay`, `catalog.loader.load_gguf_files`, `catalog.audit.audit`",
        overlay,
        _overlay_seeds,
        Toml(),
        _WORDS,
    ),
    Harness(
        "knowledge",
        "each kind of knowledge file (TOML), as LLM_ADVISOR_KNOWLEDGE may point to",
        "the loaders of `catalog`, and `catalog.inspection.inspect`",
        knowledge,
        _knowledge_seeds,
        Toml(keeps_first_line=True),
        (*_WORDS, *(f"# {kind}" for kind in _PLACES)),
    ),
)
