from __future__ import annotations

from advisor.domain.repack import instruction_sets_of, repacked_bytes
from advisor.domain.weights import weights
from advisor.units import MIB
from tests.builders import MISTRAL_7B
from tests.shapes import MIXTRAL, SMALL_4


def test_mistral_7b_in_q4_k_m_is_copied_but_for_its_q6_k_tensors_and_the_embedding() -> None:
    """3204 MiB is the `CPU_REPACK model buffer size` of a real load with AVX2."""
    held = weights(MISTRAL_7B, "Q4_K_M")
    assert repacked_bytes(held, ("avx2",)) == 3204 * MIB
    assert repacked_bytes(held, ()) == 0


def test_types_without_kernel_are_left_alone() -> None:
    assert repacked_bytes(weights(MISTRAL_7B, "Q8_0"), ("avx2", "avx512")) == 0
    assert repacked_bytes(weights(MISTRAL_7B, "F16"), ("avx2", "dotprod")) == 0


def test_arm_rearranges_more_types() -> None:
    held = weights(MISTRAL_7B, "Q4_K_M")
    assert repacked_bytes(held, ("neon", "dotprod")) > repacked_bytes(held, ("avx2",))
    assert repacked_bytes(weights(MISTRAL_7B, "Q8_0"), ("dotprod",)) > 6000 * MIB


def test_experts_are_copied_and_decompression_matrices_are_not() -> None:
    assert repacked_bytes(weights(MIXTRAL, "Q4_0"), ("avx2",)) > 0.9 * weights(MIXTRAL, "Q4_0").expert_bytes
    held = weights(SMALL_4, "Q4_0")
    kept = sum(t.n_bytes for t in held.groups if t.group.suffix.startswith(("attn_k_b", "attn_v_b", "token_embd")))
    assert repacked_bytes(held, ("avx2",)) <= held.total_bytes - kept


def test_instruction_sets_are_read_off_the_line_of_the_engine() -> None:
    line = "CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 0 | DOTPROD = 1 | MATMUL_INT8 = 1 | REPACK = 1 |"
    assert instruction_sets_of(line) == ("avx2", "dotprod", "i8mm", "repack", "sse3")
