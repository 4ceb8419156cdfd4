"""ggml's tensor types: how many weights a block holds and how many bytes it takes.

Source: `GGML_QUANT_SIZES` in llama.cpp's gguf-py/gguf/constants.py, as vendored by llama-cpp-python 0.3.36;
a test compares this table with the installed `gguf` package.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class GgmlType:
    """An encoding of a tensor's rows, in blocks of `block_size` weights and `block_bytes` bytes. GGML_TYPES holds the
    only one of each name, so that they are told apart by identity, which is quick."""

    name: str
    type_id: int
    """The number that stands in a GGUF header."""
    block_size: int
    block_bytes: int

    @property
    def bits_per_weight(self) -> float:
        return self.block_bytes * 8 / self.block_size

    def n_bytes(self, n_elements: int) -> int:
        """Bytes of that many weights; the caller sees to it that rows are whole blocks."""
        return n_elements // self.block_size * self.block_bytes


_TABLE = """
F32 0 1 4|F16 1 1 2|Q4_0 2 32 18|Q4_1 3 32 20|Q5_0 6 32 22|Q5_1 7 32 24|Q8_0 8 32 34|Q8_1 9 32 36
Q2_K 10 256 84|Q3_K 11 256 110|Q4_K 12 256 144|Q5_K 13 256 176|Q6_K 14 256 210|Q8_K 15 256 292
IQ2_XXS 16 256 66|IQ2_XS 17 256 74|IQ3_XXS 18 256 98|IQ1_S 19 256 50|IQ4_NL 20 32 18|IQ3_S 21 256 110
IQ2_S 22 256 82|IQ4_XS 23 256 136|I8 24 1 1|I16 25 1 2|I32 26 1 4|I64 27 1 8|F64 28 1 8|IQ1_M 29 256 56
BF16 30 1 2|TQ1_0 34 256 54|TQ2_0 35 256 66|MXFP4 39 32 17|NVFP4 40 64 36|Q1_0 41 128 18|Q2_0 42 64 18
"""


def _read_table() -> dict[str, GgmlType]:
    rows = (row.split() for line in _TABLE.split("\n") for row in line.split("|") if row)
    return {name: GgmlType(name, int(i), int(size), int(n)) for name, i, size, n in rows}


GGML_TYPES = _read_table()
"""Every type by name."""

GGML_TYPES_BY_ID = {t.type_id: t for t in GGML_TYPES.values()}
