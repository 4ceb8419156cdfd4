"""One shape of each kind that llama.cpp builds another graph for, in the dimensions of real models."""

from __future__ import annotations

from advisor.domain.model import Experts, LatentAttention, Shape, StateSpace, Window
from tests.builders import LLAMA_3_8B, LLAMA_32_1B, LLAMA_70B, MISTRAL_7B

LLAMA_2_7B = Shape("llama", 32, 4096, 32, 32, 128, 11008, 32000, False)
MIXTRAL = Shape("llama", 32, 4096, 32, 8, 128, 14336, 32000, False, experts=Experts(8, 2, 0, 14336))
MINISTRAL_3_3B = Shape("mistral3", 26, 3072, 32, 8, 128, 9216, 131072, tied_embeddings=True)
MINISTRAL_8B = Shape("llama", 36, 4096, 32, 8, 128, 12288, 131072, False, window=Window(32768, "sliding", 4))
SCOUT = Shape(
    "llama4", 48, 5120, 40, 8, 128, 8192, 202048, False,
    experts=Experts(16, 1, 1, 8192), window=Window(8192, "chunked", 4),
)  # fmt: skip
MAVERICK = Shape(
    "llama4", 48, 5120, 40, 8, 128, 16384, 202048, False,
    experts=Experts(128, 1, 1, 8192, layer_step=2), window=Window(8192, "chunked", 4),
)  # fmt: skip
SMALL_4 = Shape(
    "mistral4", 36, 4096, 32, 32, 128, 12288, 131072, False,
    experts=Experts(128, 4, 1, 2048), latent=LatentAttention(256, 1024, 64, 64, 128),
)  # fmt: skip
LARGE_3 = Shape(
    "deepseek2", 61, 7168, 128, 128, 192, 16384, 131072, False,
    experts=Experts(128, 4, 1, 4096, n_leading_dense=3), latent=LatentAttention(512, 1536, 128, 64, 128),
)  # fmt: skip
CODESTRAL_MAMBA = Shape("mamba2", 64, 4096, 0, 0, 0, 0, 32768, False, state_space=StateSpace(4, 8192, 128, 128, 8))
ODD_ROWS = Shape("llama", 30, 576, 9, 3, 64, 1536, 49152, tied_embeddings=True)
"""Rows of 576, which are no whole number of blocks of 256."""

KINDS = {
    "mistral-7b": MISTRAL_7B,
    "llama-3-8b": LLAMA_3_8B,
    "llama-2-7b": LLAMA_2_7B,
    "llama-3.2-1b": LLAMA_32_1B,
    "llama-70b": LLAMA_70B,
    "mixtral": MIXTRAL,
    "ministral-3-3b": MINISTRAL_3_3B,
    "ministral-8b": MINISTRAL_8B,
    "llama-4-scout": SCOUT,
    "llama-4-maverick": MAVERICK,
    "mistral-small-4": SMALL_4,
    "mistral-large-3": LARGE_3,
    "codestral-mamba": CODESTRAL_MAMBA,
    "odd-rows": ODD_ROWS,
}
