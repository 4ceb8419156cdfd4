"""A home for each test's state, a small context, and SmolLM2 in a second quantization."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.engine import operations as ops
from advisor.engine.client import EngineClient
from advisor.engine.trial_messages import RequantizeParams

Q4_0 = 2


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("LLM_ADVISOR_STATE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def smollm2_q4_0(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights by llama.cpp's own quantizer, in the engine child."""
    folder = tmp_path_factory.mktemp("quantized")
    path = folder / "SmolLM2-135M-Instruct.Q4_0.gguf"
    with EngineClient(threads=1, folders=(folder,)) as client:
        ops.requantize(client, RequantizeParams(str(smollm2), str(path), Q4_0))
    return path
