"""The shipped constants against published throughput of vLLM, through the simulation that plans use."""

from __future__ import annotations

import csv
from functools import cache
from statistics import median

import pytest

from advisor.domain.capacity import llamacpp
from advisor.domain.fit import ways_to_run
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.weights import weights
from advisor.units import GIB
from benchmarks.serving import predict
from benchmarks.serving_fit import fit, predicted_tokens_per_s
from benchmarks.serving_rows import ServingRow, read_serving_rows
from benchmarks.speed_rows import HERE
from tests.builders import LLAMA_3_8B
from tests.domain.capacity.making import gpu, serving, speed_constants


@cache
def rows() -> list[ServingRow]:
    return read_serving_rows()[0]


def errors(backend: str) -> list[float]:
    own = serving().vllm.by_backend[backend]
    found = []
    for row in rows():
        if row.engine == "vLLM" and row.spec.backend == backend:
            rate = predicted_tokens_per_s(row, own)
            assert rate is not None
            found.append(abs(rate / row.tokens_per_s - 1))
    return found


@pytest.mark.parametrize(("backend", "count", "most"), [("cuda", 95, 0.10), ("rocm", 234, 0.25)])
def test_vllm_is_met(backend: str, count: int, most: float) -> None:
    found = errors(backend)
    assert len(found) == count
    assert median(found) < most


def test_gpus_left_out_of_the_fit_are_met() -> None:
    """Every row predicted without its GPU, or without its model on the back end with one GPU."""
    predicted, _ = predict(rows(), fit(rows()))
    assert len(predicted) > 400
    assert median(abs(rate / row.tokens_per_s - 1) for row, rate in predicted) < 0.20
    on_cuda = [
        abs(rate / r.tokens_per_s - 1) for r, rate in predicted if r.spec.backend == "cuda" and r.engine == "vLLM"
    ]
    assert median(on_cuda) < 0.10


def test_a_cache_that_is_too_small_makes_requests_queue() -> None:
    """Llama 2 70B leaves four 40 GB cards little cache: published throughput falls where batches no longer fit."""
    own = serving().vllm.by_backend["cuda"]
    chosen = [r for r in rows() if r.engine == "vLLM" and r.gpu == "A100 SXM 40GB" and "70b" in r.model]
    short = next(r for r in chosen if (r.batch, r.prompt_tokens) == (16, 128))
    long = next(r for r in chosen if (r.batch, r.prompt_tokens) == (16, 2048))
    predicted = [predicted_tokens_per_s(row, own) or 0.0 for row in (short, long)]
    assert long.tokens_per_s < short.tokens_per_s / 3
    assert predicted[1] < predicted[0] / 3
    assert predicted[0] == pytest.approx(short.tokens_per_s, rel=0.2)


def test_batches_of_llama_cpp_are_met() -> None:
    """Steps of 10 to 16 tokens on one card: no constant was fitted to a batch of that size."""
    spec, found = gpu("RTX 4090"), []
    rates = (spec.bandwidth_bytes_per_s, spec.fp16_flops)
    vram = Pool("GPU0", "gpu", spec.memory_bytes, None, *rates, "cuda", int8_ops=spec.int8_ops)
    ram = Pool("RAM", "ram", 64 * GIB, None, 80e9, None, "cpu", cores=16)
    held = weights(LLAMA_3_8B, "Q4_0")
    fit_on_gpu = ways_to_run(LLAMA_3_8B, held, cpu_placement(4096, n_gpus=1), (ram, vram), allow_cpu=False)[0]
    costs = llamacpp.step_costs(LLAMA_3_8B, held, fit_on_gpu, speed_constants(), depth_tokens=256)
    assert costs is not None
    with (HERE / "data" / "llama_batches.csv").open(encoding="utf-8", newline="") as file:
        for raw in csv.DictReader(file):
            n = int(raw["batch_tokens"])
            found.append(abs(n / costs.token_s(n, 0) / float(raw["tokens_per_s"]) - 1))
    assert len(found) == 7
    assert median(found) < 0.15
