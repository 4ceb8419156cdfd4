from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.ladder import Memories
from advisor.domain.placement import Pool
from advisor.domain.sizing import SizeRequest, Subject, requested_placement, size_subject
from advisor.domain.weights import weights
from advisor.errors import InputError
from advisor.units import GIB
from tests.builders import MISTRAL_7B
from tests.shapes import MIXTRAL, SMALL_4

RAM = Pool("RAM", "ram", 64 * GIB, None, None, None, "cpu")
GPU = Pool("GPU0", "gpu", 23 * GIB, None, None, None, "cuda")


def subject(shape=MISTRAL_7B) -> Subject:  # type: ignore[no-untyped-def]
    return Subject("m", "Q4_K_M", shape, weights(shape, "Q4_K_M"), 32768)


@pytest.mark.parametrize(
    ("request_", "word", "valid"),
    [
        (SizeRequest(context_tokens=40000), "context_tokens", "context_tokens=32768 or less"),
        (SizeRequest(context_tokens=0), "context_tokens", "1 to 32768"),
        (SizeRequest(context_tokens=-5), "context_tokens", "1 to 32768"),
        (SizeRequest(context_tokens=1, parallel=2), "context_tokens", "more tokens"),
        (SizeRequest(parallel=0), "parallel", "1 or more"),
        (SizeRequest(gpu_layers=34), "gpu_layers", "0 to 33"),
        (SizeRequest(gpu_layers=-1), "gpu_layers", "0 to 33"),
        (SizeRequest(kv_type="q9_0"), "kv_type", "q8_0"),
        (
            SizeRequest(kv_type="q8_0", flash_attention=False),
            "kv_type",
            'flash_attention=False, or write kv_type="q8_0/f16"',
        ),
        (SizeRequest(kv_type="f16/f17"), "kv_type", "f16"),
        (SizeRequest(ubatch=0), "ubatch", "1 or more"),
        (SizeRequest(outputs=0), "outputs", "1 or more"),
        (SizeRequest(experts_in_ram=True), "experts_in_ram", "Leave it out"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(request_: SizeRequest, word: str, valid: str) -> None:
    with pytest.raises(InputError) as caught:
        requested_placement(request_, MISTRAL_7B, 32768, (24 * GIB,))
    assert word in caught.value.what
    assert valid in str(caught.value)


def test_latent_attention_has_one_type_for_keys_and_values() -> None:
    with pytest.raises(InputError, match="one vector"):
        requested_placement(SizeRequest(kv_type="q8_0/f16"), SMALL_4, 32768, ())


def test_layers_need_a_gpu() -> None:
    with pytest.raises(InputError, match="no GPU"):
        requested_placement(SizeRequest(gpu_layers=10), MISTRAL_7B, 32768, ())


def test_keys_alone_can_be_quantized_without_flash_attention() -> None:
    request = SizeRequest(kv_type="q8_0/f16", flash_attention=False)
    placement = requested_placement(request, MISTRAL_7B, 32768, ())
    assert (placement.kv_type, placement.value_type) == ("q8_0", "f16")


def test_layers_that_were_not_asked_for_are_those_that_fit() -> None:
    machine = Memories((RAM, GPU), allow_cpu=True)
    whole = size_subject(subject(), SizeRequest(gpu_layers=None), machine)
    assert whole.placement.gpu_layers == (32,)
    part = size_subject(subject(MIXTRAL), SizeRequest(gpu_layers=None), machine)
    assert 0 < sum(part.placement.gpu_layers) <= 32
    assert part.footprint.devices[1].total_bytes <= GPU.budget_bytes
    none = size_subject(subject(), SizeRequest(), machine)
    assert none.placement.gpu_layers == (0,)


def test_without_a_split_one_gpu_holds_everything_and_no_pipeline_is_reserved() -> None:
    two = Memories((RAM, GPU, replace(GPU, name="GPU1")), allow_cpu=True)
    alone = size_subject(subject(), SizeRequest(gpu_layers=None), Memories((RAM, GPU), allow_cpu=True))
    unsplit = size_subject(subject(), SizeRequest(gpu_layers=None, split_mode="none"), two)
    assert unsplit.footprint == alone.footprint
    shared = size_subject(subject(), SizeRequest(gpu_layers=None), two)
    assert shared.placement.gpu_layers == (17, 15)
    assert shared.footprint.compute_bytes > unsplit.footprint.compute_bytes


@pytest.mark.parametrize(("mode", "why"), [("row", "no row split on CUDA"), ("tensor", "several GPUs"), ("rows", "")])
def test_a_split_that_has_no_size_is_refused_with_those_that_have(mode: str, why: str) -> None:
    with pytest.raises(InputError, match="Write one of layer, none") as caught:
        size_subject(subject(), SizeRequest(split_mode=mode), Memories((RAM, GPU), allow_cpu=True))
    assert why in str(caught.value)


def test_a_model_that_fits_nowhere_is_shown_where_it_was_asked_for() -> None:
    tiny = Memories((replace(RAM, budget_bytes=GIB), replace(GPU, budget_bytes=GIB)), allow_cpu=True)
    found = size_subject(subject(), SizeRequest(gpu_layers=None), tiny)
    assert found.placement.gpu_layers == (32,)
    assert found.ladder is not None
    assert found.ladder.context_tokens is None


def test_experts_stay_in_ram_where_that_is_asked() -> None:
    machine = Memories((RAM, GPU), allow_cpu=True)
    found = size_subject(subject(MIXTRAL), SizeRequest(gpu_layers=None, experts_in_ram=True), machine)
    assert found.footprint.devices[0].weights_bytes > found.footprint.devices[1].weights_bytes


def test_a_cache_kept_in_ram_is_in_ram() -> None:
    machine = Memories((RAM, GPU), allow_cpu=True)
    found = size_subject(subject(), SizeRequest(gpu_layers=33, cache_on_gpu=False), machine)
    assert found.footprint.devices[0].kv_cache_bytes == GIB
    assert found.footprint.devices[1].kv_cache_bytes == 0


def test_only_a_processor_alone_repacks() -> None:
    alone = size_subject(subject(), SizeRequest(), Memories((RAM,), allow_cpu=True), instruction_sets=("avx2",))
    beside = size_subject(subject(), SizeRequest(), Memories((RAM, GPU), allow_cpu=True), instruction_sets=("avx2",))
    assert alone.repacked_bytes > 3 * GIB
    assert beside.repacked_bytes == 0


@pytest.mark.parametrize(("asked", "layers"), [(0, 0), (1, 0), (2, 1), (10, 9), (32, 31), (33, 32)])
def test_layers_are_counted_as_llama_cpp_counts_them_with_the_output_first(asked: int, layers: int) -> None:
    found = size_subject(subject(), SizeRequest(gpu_layers=asked), Memories((RAM, GPU), allow_cpu=True))
    assert found.placement.n_gpu_layers == asked
    assert found.placement.gpu_layers == (layers,)
    held = weights(MISTRAL_7B, "Q4_K_M")
    on_gpu = sum(held.layer_bytes()[32 - layers :]) + (held.output_bytes if asked else 0)
    assert found.footprint.devices[1].weights_bytes == on_gpu
    assert found.footprint.weights_bytes == held.total_bytes
    assert found.footprint.devices[1].kv_cache_bytes == layers * GIB // 32
