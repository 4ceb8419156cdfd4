"""A Hub on loopback, an overlay with one model whose files lie there, and an environment that points to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.gguf.writer import write_sparse
from tests.gguf.making import llama_blueprint
from tests.hub.server import HubServer, Repo

REPO = "example/Tiny-Tune-GGUF"
ENTRY = f"""
schema_version = 1
[sources]
mine = {{ text = "my own training run", checked = "2026-11-20" }}
[[model]]
id = "tiny-tune"
base = "llama-3.2-1b-instruct"
name = "Tiny Tune"
hf_id = {{ value = "example/Tiny-Tune", source = "mine" }}
gguf_repos = {{ value = ["{REPO}"], source = "mine" }}
"""


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory with one own model."""
    folder = tmp_path / "config"
    (folder / "models").mkdir(parents=True)
    (folder / "models/mine.toml").write_text(ENTRY, "utf-8")
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(folder))
    return folder


def gguf_bytes(folder: Path, matrix_type: str = "Q4_0", file_type: int = 2) -> bytes:
    """A small model without weights, whose header states a file type."""
    made = llama_blueprint(matrix_type=matrix_type)
    path = folder / "made.gguf"
    write_sparse(type(made)({**made.metadata, "general.file_type": file_type}, made.tensors), path)
    return path.read_bytes()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(
        REPO,
        {
            "README.md": b"# Tiny Tune",
            "Tiny-Tune-Q4_0.gguf": gguf_bytes(tmp_path),
            "Tiny-Tune-Q8_0.gguf": gguf_bytes(tmp_path, "Q8_0", 7),
        },
    )


@pytest.fixture
def hub(repo: Repo, overlay: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer(repo, tokens={"hf_good": True, "hf_poor": False}) as server:
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        # huggingface_hub reads this once, when it is imported.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield server
