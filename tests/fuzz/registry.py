"""Every parser of foreign bytes, by name. The modules are imported late, so that an engine can instrument all."""

from __future__ import annotations

from importlib import import_module

from tests.fuzz.harness import Harness

MODULES = {
    "gguf-local": "gguf_files",
    "gguf-remote": "gguf_files",
    "constraints": "toml_files",
    "machine": "toml_files",
    "fleet": "toml_files",
    "recommendation": "toml_files",
    "settings": "toml_files",
    "overlay": "knowledge",
    "knowledge": "knowledge",
    "tasks-jsonl": "trials",
    "tasks-csv": "trials",
    "tasks-harness": "trials",
    "trial-result": "trials",
    "trial-journal": "trials",
    "trial-checks": "trials",
    "load-trace": "trials",
    "hub-listing": "hub",
    "hub-transfer": "hub",
    "cluster-nodes": "cluster",
    "ollama": "stores",
    "caches": "stores",
    "engine-lines": "engine_side",
    "engine-logs": "engine_side",
    "chat-template": "engine_side",
}
"""The module below `tests.fuzz.parsers` of each."""


def load(name: str) -> Harness:
    """A harness. Raises KeyError for a name that there is not."""
    module = import_module(f"tests.fuzz.parsers.{MODULES[name]}")
    found: dict[str, Harness] = {harness.name: harness for harness in module.HARNESSES}
    return found[name]
