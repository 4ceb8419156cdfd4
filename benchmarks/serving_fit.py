"""The capacity model's terms for one published row, and the constants fitted to many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from advisor.domain.capacity.engines import BatchConstants, VllmFacts
from advisor.domain.capacity.simulation import Limits, Request, simulate
from advisor.domain.capacity.step import StepCosts
from advisor.domain.capacity.vllm import cache_tokens, step_costs
from advisor.units import GIB
from benchmarks.least_squares import Array, Prior, Problem, Term
from benchmarks.serving_rows import ServingRow

MEMORY_SHARE = 0.92
OVERHEAD_BYTES = int(3.05 * GIB)
"""Of vLLM in 2024: 1.79 GiB outside PyTorch and 1.26 GiB of activations (vllm-project/vllm pull request 10511)."""
CHUNK_TOKENS = 2048
SEQUENCES = {"vLLM": 256, "TensorRT-LLM": 256, "TensorRT-LLM 1.0": 2048}
"""Most sequences in flight; the benchmarks of 2024 never start more than 256."""
_FACTS = VllmFacts({}, MEMORY_SHARE, OVERHEAD_BYTES, 0, 256, CHUNK_TOKENS, {})
MOST_SIMULATED = 4096
"""Requests of a long queue that are simulated: the throughput has settled by then."""

PRIORS: Mapping[str, Prior] = {
    "read": Prior(1.1, 0.2),
    "kv_read": Prior(1.2, 0.05),
    "kv_reread": Prior(0.1, 0.02),
    "compute": Prior(1.5, 0.02),
    "prefill": Prior(1.5, 0.05),
    "layer_s": Prior(5e-5, 0.05),
    "step_s": Prior(2e-3, 0.05),
    "all_reduce_s": Prior(1e-5, 0.2),
}
"""Where a constant stays without rows: the constants of llama.cpp on the same cards (knowledge/speed.toml), a
scheduler's few milliseconds, and the latency of a small all-reduce over NVLink."""
_NOTHING = {field.name: 0.0 for field in fields(BatchConstants)}


def costs_of(row: ServingRow, own: BatchConstants) -> StepCosts:
    """The step of a row's replica."""
    depth = row.prompt_tokens + row.answer_tokens / 2
    costs = step_costs(row.shape, row.precision, row.group, own, depth_tokens=depth)
    assert costs is not None, f"{row.gpu} has no compute rate"
    return costs


def seconds_without_queue(row: ServingRow, own: BatchConstants) -> float:
    """The time of a batch that starts together and fits into memory; linear in the constants."""
    costs, n = costs_of(row, own), row.batch
    prompts = n * row.prompt_tokens
    chunk = min(CHUNK_TOKENS, prompts)
    seconds = prompts / chunk * costs.mixed_s(0, chunk, 0.0)
    seconds += n * sum(u.attention_s for u in costs.units) * row.prompt_tokens**2 / 2
    depth = row.prompt_tokens + row.answer_tokens / 2
    return seconds + (row.answer_tokens - 1) * costs.token_s(n, depth)


def terms_of(row: ServingRow) -> list[Term]:
    """The addends of a row's time, each with the constant that it is multiplied with."""
    base = seconds_without_queue(row, BatchConstants(**_NOTHING))
    terms = [Term(base)]
    for key in PRIORS:
        size = seconds_without_queue(row, BatchConstants(**{**_NOTHING, key: 1.0})) - base
        if size > 0:
            terms.append(Term(size, (f"{key} {row.engine} {row.spec.backend}",)))
    return terms


@dataclass(frozen=True)
class ServingFit:
    """Constants of every engine and back end, from all rows and without each group of rows."""

    problem: Problem
    rows: Sequence[ServingRow]

    def constants(self, engine: str, backend: str, without: str | None = None) -> BatchConstants:
        """The constants from the rows outside a group; a constant that no row speaks about stays at its prior."""
        keep = np.array([row.held_out_with != without for row in self.rows])
        found = dict(zip(self.problem.names, np.exp(self.problem.fit(keep)), strict=True))
        values = {key: float(found.get(f"{key} {engine} {backend}", PRIORS[key].value)) for key in PRIORS}
        return BatchConstants(**values, throughput_spread=0.0)


def fit(rows: Sequence[ServingRow]) -> ServingFit:
    """Fit the rows that start together and fit into memory, where the time is linear in the constants."""
    used = [row for row in rows if row.is_static and row.fits(MEMORY_SHARE, OVERHEAD_BYTES)]
    counts = Counter(row.held_out_with for row in used)
    terms = [terms_of(row) for row in used]
    names = {name for row in terms for term in row for name in term.parameters}
    problem = Problem(
        terms,
        [row.seconds for row in used],
        [counts[row.held_out_with] ** -0.5 for row in used],
        {name: PRIORS[name.split()[0]] for name in names},
    )
    return ServingFit(problem, used)


def predicted_tokens_per_s(row: ServingRow, own: BatchConstants) -> float | None:
    """Throughput by the simulation that plans use; None where the model leaves no room for a single request."""
    room = cache_tokens(row.shape, row.precision, row.group, _FACTS)
    if room < row.prompt_tokens + row.answer_tokens:
        return None
    n = min(row.batch, MOST_SIMULATED)
    requests = [Request(0.0, row.prompt_tokens, row.answer_tokens)] * n
    run = simulate(costs_of(row, own), Limits(SEQUENCES[row.engine], room, CHUNK_TOKENS), requests)
    return n * row.answer_tokens / run.end_s


def spread(errors: Array) -> float:
    """Four in five errors are smaller."""
    return float(np.quantile(np.abs(errors), 0.8))
