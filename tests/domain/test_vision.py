from __future__ import annotations

from dataclasses import replace

from advisor.domain.placement import Pool
from advisor.domain.vision import projector_bytes, with_projector
from advisor.units import GIB
from tests.builders import model

RAM = Pool("RAM", "ram", 16 * GIB, None, None, None, "cpu")
GPU = Pool("GPU0", "gpu", 8 * GIB, None, None, None, "cuda")
SEEING = model("seeing", vision_params=400_000_000)


def test_a_projector_is_held_in_half_precision() -> None:
    assert projector_bytes(SEEING) == 800_000_000
    assert projector_bytes(model("blind")) is None


def test_the_first_gpu_holds_the_projector_else_the_processor() -> None:
    assert [p.budget_bytes for p in with_projector((RAM, GPU), SEEING)] == [16 * GIB, 8 * GIB - 800_000_000]
    assert [p.budget_bytes for p in with_projector((RAM,), SEEING)] == [16 * GIB - 800_000_000]


def test_a_gpu_without_memory_of_its_own_holds_it_in_the_systems() -> None:
    shared = replace(GPU, shares_ram=True)
    taken = [p.budget_bytes for p in with_projector((RAM, shared), SEEING)]
    assert taken == [16 * GIB - 800_000_000, 8 * GIB - 800_000_000]


def test_without_one_nothing_is_taken() -> None:
    assert with_projector((RAM, GPU), model("blind")) == (RAM, GPU)
