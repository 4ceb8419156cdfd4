from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, dequantize

from advisor.domain.ggml import GGML_TYPES
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import BenchParams, ContextParams, RowsParams
from advisor.engine.synthetic import BlockPools
from advisor.gguf.writer import write_synthetic
from tests.gguf.making import llama_blueprint

UNMADE = {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}
"""Types that no weights come in."""
RANDOM_BITS = {"IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_S", "IQ1_M"}
UNREADABLE = {"Q1_0", "Q2_0"}
"""Types that the reference package names but cannot read."""
MADE = sorted(set(GGML_TYPES) - UNMADE)


@pytest.mark.parametrize("name", sorted(set(MADE) - UNREADABLE))
def test_blocks_hold_weights_of_the_right_size(shared: EngineClient, name: str) -> None:
    kind = GGML_TYPES[name]
    raw = base64.b64decode(ops.quantize_rows(shared, RowsParams(name, 64, 256, sigma=0.02)).base64)
    assert len(raw) == kind.n_bytes(64 * 256)
    weights = dequantize(np.frombuffer(raw, dtype=np.uint8).reshape(64, -1), GGMLQuantizationType[name])
    assert np.isfinite(weights).all()
    assert abs(weights.mean()) < 0.01
    # Random bits come within a factor of three, which is all that a workload needs.
    factor = 3.0 if name in RANDOM_BITS else 1.3
    assert 0.02 / factor < weights.std() < 0.02 * factor


@pytest.mark.parametrize("name", MADE)
def test_a_model_of_every_type_runs(shared: EngineClient, tmp_path: Path, name: str) -> None:
    blueprint = llama_blueprint(layers=1, matrix_type=name)
    path = tmp_path / "synthetic.gguf"
    write_synthetic(blueprint, path, BlockPools(shared))
    result = ops.bench(shared, BenchParams((str(path),), ContextParams(n_ctx=256), n_prompt=4, n_decode=1))
    assert result.runs[0].memory.weights_bytes == blueprint.tensor_bytes


def test_rows_follow_the_seed(shared: EngineClient) -> None:
    def rows(name: str, seed: int) -> str:
        return ops.quantize_rows(shared, RowsParams(name, 4, 256, seed=seed)).base64

    for name in ("Q4_K", "IQ2_S", "F32"):
        assert rows(name, 1) == rows(name, 1) != rows(name, 2)


@pytest.mark.parametrize(
    "params",
    [RowsParams("Q4_9", 1, 256), RowsParams("Q4_K", 1, 128), RowsParams("Q4_K", 0, 256), RowsParams("Q8_K", 1, 256)],
)
def test_impossible_rows_are_refused(shared: EngineClient, params: RowsParams) -> None:
    with pytest.raises(EngineRefused) as caught:
        ops.quantize_rows(shared, params)
    assert caught.value.kind == "request"


def test_a_pool_is_made_once_of_a_prime_number_of_blocks(shared: EngineClient) -> None:
    pools = BlockPools(shared)
    for name in ("Q4_K", "Q4_0", "F32", "NVFP4", "Q1_0"):
        kind = GGML_TYPES[name]
        raw = pools(kind)
        assert pools(kind) is raw
        n_blocks = len(raw) // kind.block_bytes
        assert len(raw) % kind.block_bytes == 0
        assert n_blocks * kind.block_size <= 1 << 18
        assert all(n_blocks % divisor for divisor in range(2, int(n_blocks**0.5) + 1))
