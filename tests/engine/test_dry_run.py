"""The dry run against real loads and published sizes."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.ggml import GGML_TYPES
from advisor.engine import operations as ops
from advisor.engine.client import EngineClient, EngineRefused
from advisor.engine.messages import BenchParams, ContextParams, DryRunParams, FlashAttention, QuantizeParams
from advisor.engine.synthetic import BlockPools
from advisor.errors import EngineError
from advisor.gguf.writer import write_sparse, write_synthetic
from tests.gguf.making import llama_blueprint

MISTRAL_7B = {"layers": 32, "hidden": 4096, "ffn": 14336, "heads": 32, "kv_heads": 8, "vocab": 32768}
MIB = 1 << 20


@pytest.mark.parametrize("matrix_type", ["Q4_0", "F16"])
def test_weights_of_a_mistral_7b_blueprint_are_its_tensor_bytes(shared: EngineClient, matrix_type: str) -> None:
    blueprint = llama_blueprint(**MISTRAL_7B, matrix_type=matrix_type)
    sized = ops.size_blueprint(shared, blueprint, ContextParams(n_ctx=8192))
    assert sized.memory.weights_bytes == blueprint.tensor_bytes
    assert sized.memory.kv_cache_bytes == 2 * 32 * 8192 * 1024 * 2
    assert sized.model.n_params == sum(t.n_elements for t in blueprint.tensors)
    assert sized.memory.layer_devices == ("CPU",) * 33
    assert sized.memory.compute_bytes > 0


@pytest.mark.parametrize(
    ("kv_type", "flash_attention", "n_seq_max"), [("F16", "auto", 1), ("Q8_0", "on", 1), ("F16", "off", 4)]
)
def test_dry_run_of_a_real_file_equals_its_real_load(
    shared: EngineClient, smollm2: Path, kv_type: str, flash_attention: FlashAttention, n_seq_max: int
) -> None:
    context = ContextParams(
        n_ctx=2048, n_seq_max=n_seq_max, flash_attention=flash_attention, type_k=kv_type, type_v=kv_type
    )
    dry = ops.dry_run(shared, DryRunParams(str(smollm2), context))
    real = ops.bench(shared, BenchParams((str(smollm2),), context, n_prompt=1, n_decode=0))
    loaded = real.runs[0].memory
    for name in ("weights_bytes", "kv_cache_bytes", "compute", "output", "flash_attention", "layer_devices"):
        assert getattr(dry.memory, name) == getattr(loaded, name), name
    assert dry.memory.model_buffers == ()
    # The log rounds each buffer to 0.01 MiB.
    assert sum(b.n_bytes for b in loaded.model_buffers) == pytest.approx(loaded.weights_bytes, abs=0.02 * MIB)


def test_dry_run_of_a_blueprint_equals_the_real_load_of_its_synthetic_file(
    shared: EngineClient, tmp_path: Path
) -> None:
    blueprint = llama_blueprint(matrix_type="Q8_0", ffn=1024)
    context = ContextParams(n_ctx=1024, n_ubatch=64)
    dry = ops.size_blueprint(shared, blueprint, context)
    path = tmp_path / "synthetic.gguf"
    write_synthetic(blueprint, path, BlockPools(shared))
    real = ops.bench(shared, BenchParams((str(path),), context, n_prompt=4, n_decode=0)).runs[0]
    assert dry.memory.weights_bytes == real.memory.weights_bytes == blueprint.tensor_bytes
    assert dry.memory.kv_cache_bytes == real.memory.kv_cache_bytes == 2 * 2 * 1024 * 128 * 2
    assert dry.memory.compute == real.memory.compute


def test_no_memory_is_taken_for_a_large_model(shared: EngineClient) -> None:
    large = llama_blueprint(layers=80, hidden=8192, ffn=28672, heads=64, kv_heads=8, vocab=128256, matrix_type="F16")
    sized = ops.size_blueprint(shared, large, ContextParams(n_ctx=131072))
    assert sized.memory.weights_bytes == large.tensor_bytes > 130 << 30
    assert sized.memory.kv_cache_bytes == 2 * 80 * 131072 * 1024 * 2


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="glibc alone can be told to")
def test_what_one_dry_run_frees_is_kept_for_the_next(shared: EngineClient) -> None:
    """The names of a large vocabulary take two thousand pages."""
    large = llama_blueprint(**{**MISTRAL_7B, "layers": 40, "vocab": 131_072}, matrix_type="Q4_0")
    ops.size_blueprint(shared, large, ContextParams())
    before = page_faults(shared)
    for _ in range(5):
        ops.size_blueprint(shared, large, ContextParams())
    assert page_faults(shared) - before < 5 * 1000


def page_faults(client: EngineClient) -> int:
    """Of the child since its start, as proc(5) counts them."""
    return int(Path(f"/proc/{client.pid}/stat").read_text("ascii").rpartition(")")[2].split()[7])


def test_the_quantizer_gives_the_published_size_of_mistral_7b(shared: EngineClient) -> None:
    """4,372,054,016 is the sum over the header of the published Mistral-7B-Instruct-v0.3 Q4_K_M file."""
    blueprint = llama_blueprint(**MISTRAL_7B, matrix_type="F16")
    result = ops.quantize_blueprint(shared, blueprint, (15,), importance_matrix=False)
    (file,) = result.files
    types = dict(zip(result.tensors, file.ggml_types, strict=True))
    assert set(types) == {t.name for t in blueprint.tensors}
    exact = sum(GGML_TYPES[types[t.name]].n_bytes(t.n_elements) for t in blueprint.tensors)
    assert exact == 4_372_054_016
    assert file.total_bytes == pytest.approx(exact, abs=0.01 * MIB)


def test_an_importance_matrix_changes_types(shared: EngineClient) -> None:
    """Q4_0 keeps the first eighth of `ffn_down` in Q4_1 where there is a matrix."""
    blueprint = llama_blueprint(layers=16, matrix_type="F16")
    without, with_matrix = [
        ops.quantize_blueprint(shared, blueprint, (2,), importance_matrix=matrix) for matrix in (False, True)
    ]
    assert without.tensors == with_matrix.tensors
    types = zip(without.tensors, without.files[0].ggml_types, with_matrix.files[0].ggml_types, strict=True)
    changed = {name: b for name, a, b in types if a != b}
    assert changed == {f"blk.{i}.ffn_down.weight": "Q4_1" for i in range(2)}


def test_a_wrong_blueprint_is_refused_with_the_reason(shared: EngineClient) -> None:
    base = llama_blueprint()
    without = Blueprint(base.metadata, tuple([t for t in base.tensors if t.name != "blk.1.attn_k.weight"]))
    with pytest.raises(EngineRefused, match=r"'blk\.1\.attn_k\.weight' not found") as caught:
        ops.size_blueprint(shared, without, ContextParams())
    assert caught.value.kind == "load"
    reshaped = tuple(
        [Tensor(t.name, (256, 96), t.ggml_type) if t.name == "blk.0.attn_v.weight" else t for t in base.tensors]
    )
    with pytest.raises(EngineRefused, match="wrong shape"):
        ops.size_blueprint(shared, Blueprint(base.metadata, reshaped), ContextParams())
    strange = Blueprint({**base.metadata, "general.architecture": "nobody"}, base.tensors)
    with pytest.raises(EngineRefused, match="unknown model architecture: 'nobody'"):
        ops.size_blueprint(shared, strange, ContextParams())
    assert ops.size_blueprint(shared, base, ContextParams()).memory.weights_bytes == base.tensor_bytes


def test_an_impossible_context_is_refused_with_the_reason(shared: EngineClient) -> None:
    with pytest.raises(EngineRefused, match="does not divide") as caught:
        ops.size_blueprint(shared, llama_blueprint(), ContextParams(type_k="Q4_K"))
    assert caught.value.kind == "context"


def test_broken_files_are_refused_and_the_engine_lives(shared: EngineClient, smollm2: Path, tmp_path: Path) -> None:
    broken = {
        "empty": b"",
        "text": b"hello" * 100,
        "truncated header": smollm2.read_bytes()[:100_000],
        "truncated data": smollm2.read_bytes()[:5_000_000],
        "endless count": b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 40,
    }
    pid = shared.pid
    for name, raw in broken.items():
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(raw)
        with pytest.raises(EngineError, match=r"llama\.cpp cannot load"):
            ops.dry_run(shared, DryRunParams(str(path)))
    with pytest.raises(EngineError, match=r"llama\.cpp cannot load"):
        ops.dry_run(shared, DryRunParams(str(tmp_path / "missing.gguf")))
    with pytest.raises(EngineError, match="cannot quantize"):
        ops.quantize_dry_run(shared, QuantizeParams(str(tmp_path / "missing.gguf"), (15,)))
    assert shared.pid == pid


def test_experts_and_splits_are_taken_without_a_gpu(shared: EngineClient) -> None:
    context = ContextParams(n_ctx=512, experts_in_ram=True, tensor_split=(1.0, 2.0), n_gpu_layers=2, repack=False)
    sized = ops.size_blueprint(shared, llama_blueprint(), context)
    assert set(sized.memory.layer_devices) == {"CPU"}


def test_a_sparse_file_of_the_callers_own_can_be_sized(shared: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "größe 1.gguf"
    write_sparse(llama_blueprint(), path)
    assert ops.dry_run(shared, DryRunParams(str(path))).model.n_layers == 2
