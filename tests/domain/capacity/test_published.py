"""The shipped constants against published throughput of vLLM, through the simulation that plans use."""

from __future__ import annotations

from functools import cache
from statistics import median

import pytest

from benchmarks.serving import predict
from benchmarks.serving_fit import fit, predicted_tokens_per_s
from benchmarks.serving_rows import ServingRow, read_serving_rows
from tests.domain.capacity.making import serving


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
