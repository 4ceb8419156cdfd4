"""The processor's copy of weights against a real load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from advisor.domain.repack import instruction_sets_of, repacked_bytes
from advisor.domain.weights import blueprint, weights
from advisor.engine.client import EngineClient
from advisor.engine.messages import BenchParams, ContextParams
from advisor.engine.operations import bench, describe
from advisor.engine.synthetic import BlockPools
from advisor.gguf.writer import write_synthetic
from advisor.units import MIB
from tests.builders import model
from tests.shapes import KINDS


@pytest.mark.parametrize("quantization", ["Q4_K_M", "Q4_0", "Q8_0", "IQ4_NL"])
@pytest.mark.parametrize("name", ["mistral-7b", "mixtral"])
def test_what_is_repacked_is_what_llama_cpp_puts_into_its_own_buffer(
    shared: EngineClient, tmp_path: Path, name: str, quantization: str
) -> None:
    whole = KINDS[name]
    experts = whole.experts and replace(whole.experts, ffn_size=1024)
    shape = replace(
        whole, n_layers=4, hidden_size=512, n_heads=8, n_kv_heads=2, head_dim=64, ffn_size=1024, vocab_size=4096,
        experts=experts,
    )  # fmt: skip
    path = tmp_path / "model.gguf"
    write_synthetic(blueprint(model(name, shape), quantization), path, BlockPools(shared))
    run = bench(shared, BenchParams((str(path),), ContextParams(n_ctx=256), n_prompt=1, n_decode=0)).runs[0]
    found = sum(b.n_bytes for b in run.memory.model_buffers if b.device == "CPU_REPACK")
    sets = instruction_sets_of(describe(shared).system_info)
    assert repacked_bytes(weights(shape, quantization), sets) == pytest.approx(found, abs=0.006 * MIB)
