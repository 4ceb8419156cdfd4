from __future__ import annotations

from pathlib import Path

import pytest
from gguf import GGUFReader

from advisor.domain.blueprint import Blueprint, Tensor
from advisor.domain.ggml import GGML_TYPES, GgmlType
from advisor.errors import InputError
from advisor.gguf.reader import read_header
from advisor.gguf.writer import lay_out, write_sparse, write_synthetic
from tests.gguf.making import llama_blueprint

F32 = GGML_TYPES["F32"]


def counted_blocks(kind: GgmlType) -> bytes:
    """Distinct blocks, a prime number of them."""
    return b"".join(i.to_bytes(2, "little") + bytes([i % 251]) * (kind.block_bytes - 2) for i in range(97))


def test_a_written_blueprint_is_read_back(tmp_path: Path) -> None:
    metadata = {
        **llama_blueprint().metadata,
        "a.flag": True,
        "a.negative": -5,
        "a.long": 1 << 40,
        "a.flags": (True, False),
        "a.heads": (8, 4, 0),
        "a.words": ("x", "größe"),
        "a.halves": (0.5, 0.25),
    }
    blueprint = Blueprint(metadata, llama_blueprint().tensors)
    layout = write_sparse(blueprint, tmp_path / "m.gguf")
    header = read_header(tmp_path / "m.gguf")
    assert header.tensors == blueprint.tensors
    assert {k: v for k, v in header.metadata.items() if not isinstance(v, float)} == {
        k: v for k, v in metadata.items() if not isinstance(v, float)
    }
    assert header.metadata["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert tuple(header.data_offset + offset for offset in header.offsets) == layout.offsets
    assert header.file_bytes == layout.file_bytes


def test_a_sparse_file_has_its_full_length_and_no_weights(tmp_path: Path) -> None:
    blueprint = llama_blueprint(layers=32, hidden=4096, ffn=14336, heads=32, kv_heads=8, vocab=32768)
    layout = write_sparse(blueprint, tmp_path / "m.gguf")
    status = (tmp_path / "m.gguf").stat()
    assert status.st_size == layout.file_bytes > blueprint.tensor_bytes > 4 << 30 - 1
    assert status.st_blocks * 512 < 1 << 20


def test_the_reference_reader_accepts_the_file(tmp_path: Path) -> None:
    blueprint = llama_blueprint()
    write_synthetic(blueprint, tmp_path / "m.gguf", counted_blocks)
    found = {t.name: (tuple(map(int, t.shape)), t.tensor_type.name) for t in GGUFReader(tmp_path / "m.gguf").tensors}
    assert found == {t.name: (t.shape, t.ggml_type.name) for t in blueprint.tensors}


def test_norms_are_one_biases_zero_decays_negative_and_no_matrix_is_zero(tmp_path: Path) -> None:
    base = llama_blueprint()
    extra = (
        Tensor("blk.0.attn_q.bias", (256,), F32),
        Tensor("blk.0.ssm_a", (1, 8), F32),
        Tensor("blk.0.ffn_gate_inp.weight", (256, 8), F32),
        Tensor("rope_freqs.weight", (32,), F32),
    )
    write_synthetic(Blueprint(base.metadata, base.tensors + extra), tmp_path / "m.gguf", counted_blocks)
    tensors = {t.name: t.data for t in GGUFReader(tmp_path / "m.gguf").tensors}
    assert (tensors["blk.0.attn_norm.weight"] == 1).all()
    assert (tensors["rope_freqs.weight"] == 1).all()
    assert (tensors["blk.0.attn_q.bias"] == 0).all()
    assert (tensors["blk.0.ssm_a"] == -1).all()
    assert len({row.tobytes() for row in tensors["blk.0.ffn_gate_inp.weight"]}) == 8
    for name, data in tensors.items():
        if name.endswith("weight"):
            assert data.any(), name


def test_rows_of_a_tiled_matrix_differ(tmp_path: Path) -> None:
    blueprint = Blueprint({"general.architecture": "x"}, (Tensor("w", (256, 90), GGML_TYPES["Q4_0"]),))
    write_synthetic(blueprint, tmp_path / "m.gguf", counted_blocks)
    rows = GGUFReader(tmp_path / "m.gguf").tensors[0].data
    assert len({row.tobytes() for row in rows}) == 90


def test_blocks_are_asked_for_once_per_type(tmp_path: Path) -> None:
    asked: list[str] = []

    def blocks(kind: GgmlType) -> bytes:
        asked.append(kind.name)
        return counted_blocks(kind)

    write_synthetic(llama_blueprint(), tmp_path / "m.gguf", blocks)
    assert asked == ["Q4_0"]


def test_blocks_that_are_no_blocks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no whole blocks of Q4_0"):
        write_synthetic(llama_blueprint(), tmp_path / "m.gguf", lambda kind: b"123")


@pytest.mark.parametrize("value", [(1, "a"), (True, 2), 1 << 64, (-1, 1 << 63)])
def test_values_without_a_type_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"'a\.b'"):
        lay_out(Blueprint({"a.b": value}, ()))  # type: ignore[dict-item]  # wrong on purpose


def test_a_file_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_sparse(llama_blueprint(), tmp_path / "missing" / "m.gguf")


def test_alignment_of_the_blueprint_is_kept(tmp_path: Path) -> None:
    base = llama_blueprint()
    write_sparse(Blueprint({**base.metadata, "general.alignment": 256}, base.tensors), tmp_path / "m.gguf")
    header = read_header(tmp_path / "m.gguf")
    assert (header.alignment, header.data_offset % 256) == (256, 0)
    assert all(offset % 256 == 0 for offset in header.offsets)
