"""What tests of downloads share: content, an overlay with the model, and looking at what lies on the disk."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from advisor.domain.blueprint import Blueprint
from advisor.gguf.reader import read_header
from advisor.gguf.writer import write_sparse
from tests.cli.running import Outcome
from tests.gguf.making import llama_blueprint
from tests.hub.server import COMMIT, Repo

Q4 = "Tiny-Tune-Q4_0.gguf"
ASK = ("download", "tiny-tune", "--quant", "Q4_0")
STORE = "/lfs/*"

SMOL_REPO = "example/SmolLM2-135M-Instruct-GGUF"
SMOL_FILE = "SmolLM2-135M-Instruct-Q4_1.gguf"
SMOL_ENTRY = f"""
schema_version = 1
[sources]
mine = {{ text = "header of the file itself", checked = "2026-11-20" }}
[[model]]
id = "smollm2-135m-instruct"
base = "llama-3.2-1b-instruct"
name = "SmolLM2 135M Instruct"
hf_id = {{ value = "example/SmolLM2-135M-Instruct", source = "mine" }}
gguf_repos = {{ value = ["{SMOL_REPO}"], source = "mine" }}
max_context_tokens = {{ value = 8192, source = "mine" }}
text_params = {{ value = 134515008, source = "mine" }}
total_params = {{ value = 134515008, source = "mine" }}
active_params = {{ value = 134515008, source = "mine" }}
[model.shape]
n_layers = {{ value = 30, source = "mine" }}
hidden_size = {{ value = 576, source = "mine" }}
n_heads = {{ value = 9, source = "mine" }}
n_kv_heads = {{ value = 3, source = "mine" }}
head_dim = {{ value = 64, source = "mine" }}
ffn_size = {{ value = 1536, source = "mine" }}
vocab_size = {{ value = 49152, source = "mine" }}
rope_factors = {{ value = false, source = "mine" }}
"""


def mini_gguf(folder: Path, seed: int = 1, file_type: int | None = None) -> bytes:
    """A sound GGUF of about 1.4 MB whose weights are random, so that every byte counts for its hash."""
    path = folder / f"mini-{seed}.gguf"
    made = llama_blueprint(layers=4)
    stated = {} if file_type is None else {"general.file_type": file_type}
    write_sparse(Blueprint({**made.metadata, **stated}, made.tensors), path)
    start = read_header(path).data_offset
    content = path.read_bytes()
    path.unlink()
    return content[:start] + random.Random(seed).randbytes(len(content) - start)


@dataclass(frozen=True)
class Disk:
    """The Hugging Face cache of a test."""

    home: Path

    def repo(self, name: str) -> Path:
        return self.home / "hub" / f"models--{name.replace('/', '--')}"

    def named(self, repo: Repo, file: str) -> Path:
        return self.repo(repo.name) / "snapshots" / COMMIT / file

    def partial(self, repo: Repo, file: str) -> Path:
        return self.repo(repo.name) / "blobs" / f"{repo.sha256(file)}.incomplete"

    def holds(self, repo: Repo, file: str) -> bool:
        path = self.named(repo, file)
        return path.exists() and sha256(path.read_bytes()).hexdigest() == repo.sha256(file)

    def ggufs(self) -> list[Path]:
        return sorted(p for p in self.home.rglob("*") if p.suffix == ".gguf")


def content(repo: Repo, file: str = Q4) -> bytes:
    found = repo.files[file]
    assert isinstance(found, bytes)
    return found


def assert_fails_cleanly(found: Outcome, disk: Disk, code: int, *words: str) -> None:
    """One line says it, and nothing on the disk looks like a whole file."""
    assert found.code == code, found.err
    last = found.err.splitlines()[-1]
    assert last.startswith("llm-advisor: ")
    for word in words:
        assert word in last
    assert "Traceback" not in found.err
    assert disk.ggufs() == []


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
