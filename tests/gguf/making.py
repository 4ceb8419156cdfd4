"""GGUF bytes made by hand, field by field, so that any of them can be wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from advisor.domain.blueprint import Blueprint, MetadataValue, Tensor
from advisor.domain.ggml import GGML_TYPES

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


def string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def array(kind: int, length: int, elements: bytes) -> bytes:
    return struct.pack("<IQ", kind, length) + elements


@dataclass
class Row:
    """One row of the tensor table."""

    name: str | bytes = "w"
    shape: tuple[int, ...] = (32, 2)
    type_id: int = 0
    offset: int = 0

    def encode(self) -> bytes:
        n = len(self.shape)
        return string(self.name) + struct.pack(f"<I{n}QIQ", n, *self.shape, self.type_id, self.offset)


@dataclass
class Made:
    """A file; the counts follow from its contents unless given."""

    pairs: list[bytes] = field(default_factory=lambda: [pair("general.architecture", STRING, string("llama"))])
    rows: list[Row] = field(default_factory=lambda: [Row()])
    data_bytes: int = 256
    magic: bytes = b"GGUF"
    version: bytes = struct.pack("<I", 3)
    n_tensors: int | None = None
    n_pairs: int | None = None
    alignment: int = 32

    def encode(self) -> bytes:
        n_tensors = len(self.rows) if self.n_tensors is None else self.n_tensors
        n_pairs = len(self.pairs) if self.n_pairs is None else self.n_pairs
        head = self.magic + self.version + struct.pack("<QQ", n_tensors, n_pairs)
        head += b"".join(self.pairs) + b"".join(row.encode() for row in self.rows)
        return head + bytes(-len(head) % self.alignment) + bytes(self.data_bytes)


class Memory:
    """Bytes as a source."""

    name = "memory"

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.size = len(raw)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.raw[offset : offset + length]


def llama_blueprint(
    *,
    layers: int = 2,
    hidden: int = 256,
    ffn: int = 512,
    heads: int = 4,
    kv_heads: int = 2,
    vocab: int = 512,
    matrix_type: str = "Q4_0",
    **metadata: MetadataValue,
) -> Blueprint:
    """A Llama without a vocabulary; keywords with `__` for dots add or replace `llama.` keys."""
    kind = GGML_TYPES[matrix_type]
    matrices = _matrices(hidden, ffn, hidden // heads * kv_heads)
    f32 = GGML_TYPES["F32"]
    tensors = [Tensor("token_embd.weight", (hidden, vocab), kind), Tensor("output.weight", (hidden, vocab), kind)]
    tensors.append(Tensor("output_norm.weight", (hidden,), f32))
    for i in range(layers):
        tensors += [Tensor(f"blk.{i}.{name}.weight", shape, kind) for name, shape in matrices.items()]
        tensors += [Tensor(f"blk.{i}.{name}.weight", (hidden,), f32) for name in ("attn_norm", "ffn_norm")]
    keys: dict[str, MetadataValue] = {
        "general.architecture": "llama",
        "general.file_type": 2,
        "tokenizer.ggml.model": "no_vocab",
        "llama.block_count": layers,
        "llama.context_length": 32768,
        "llama.embedding_length": hidden,
        "llama.feed_forward_length": ffn,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": hidden // heads,
        "llama.rope.freq_base": 1e6,
        "llama.vocab_size": vocab,
    }
    keys.update({f"llama.{name.replace('__', '.')}": value for name, value in metadata.items()})
    return Blueprint(keys, tuple(tensors))


def _matrices(hidden: int, ffn: int, kv_width: int) -> dict[str, tuple[int, int]]:
    """Shapes of a layer's matrices, in ggml's order."""
    return {
        "attn_q": (hidden, hidden),
        "attn_k": (hidden, kv_width),
        "attn_v": (hidden, kv_width),
        "attn_output": (hidden, hidden),
        "ffn_gate": (hidden, ffn),
        "ffn_down": (ffn, hidden),
        "ffn_up": (hidden, ffn),
    }
