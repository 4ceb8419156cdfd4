from __future__ import annotations

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from advisor.domain.ggml import GGML_TYPES

NEVER_IN_A_FILE = "Q8_1"
"""An intermediate of matrix multiplication; the gguf package gives it another size than ggml's C code."""


def test_the_table_agrees_with_the_gguf_package() -> None:
    reference = {t.name: (int(t), *GGML_QUANT_SIZES[t]) for t in GGMLQuantizationType if t.name != NEVER_IN_A_FILE}
    ours = {name: (t.type_id, t.block_size, t.block_bytes) for name, t in GGML_TYPES.items()}
    assert {name: ours.get(name) for name in reference} == reference


def test_bytes_follow_from_blocks() -> None:
    assert GGML_TYPES["Q4_K"].n_bytes(256) == 144
    assert GGML_TYPES["Q8_0"].bits_per_weight == 8.5
