"""What faults are caused on: a small model that answers, a catalogue of one small model, tasks for a trial."""

from __future__ import annotations

import json
from pathlib import Path

from advisor.domain.blueprint import Blueprint
from advisor.engine.client import EngineClient
from advisor.engine.synthetic import BlockPools
from advisor.gguf.reader import ArraySummary, read_header
from advisor.gguf.writer import write_synthetic
from tests.gguf.making import llama_blueprint
from tests.test_terminal import small_knowledge


def babbler(folder: Path, vocabulary_of: Path) -> Path:
    """A GGUF of random weights under a real vocabulary: it answers quickly, and nonsense."""
    path = folder / "babbler.gguf"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    kept = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.chat_template")
    found = read_header(vocabulary_of, keep=kept).metadata
    # Our writer has no arrays of signed numbers, and llama.cpp needs no types of tokens.
    words = {
        key: value
        for key, value in found.items()
        if key.startswith("tokenizer.") and key != "tokenizer.ggml.token_type" and not isinstance(value, ArraySummary)
    }
    base = llama_blueprint(vocab=49152, hidden=64, ffn=128, heads=1, kv_heads=1)
    with EngineClient(threads=1) as client:
        write_synthetic(Blueprint({**base.metadata, **words}, base.tensors), path, BlockPools(client))
    return path


def thimble(folder: Path, n_layers: int = 4, hidden_size: int = 512) -> Path:
    """Knowledge with one small model in place of the shipped ones."""
    knowledge = folder / "knowledge"
    return knowledge if knowledge.exists() else small_knowledge(folder, n_layers, hidden_size)


def tasks(folder: Path, count: int) -> Path:
    """A file of so many tasks."""
    path = folder / "tasks.jsonl"
    lines = [
        json.dumps({"id": f"t{i}", "prompt": f"Say {i}.", "expected": str(i), "check": "contains"})
        for i in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
