"""Where a candidate runs, and the memories that it can run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from advisor.domain.hardware import CpuFamily
from advisor.values import value

KvType = Literal["f16", "q8_0", "q4_0"]
PoolKind = Literal["ram", "gpu"]

KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")

DEFAULT_UBATCH = 512
"""Tokens that are computed together: llama.cpp's own default (`llama_context_default_params`)."""
DEFAULT_BATCH = 2048
"""Tokens that are handed over together, by the same source."""


@value
class Pool:
    """One memory that a candidate can use."""

    name: str
    kind: PoolKind
    budget_bytes: int
    """Capacity less what the user keeps free and what the driver takes."""
    free_bytes: int | None
    """What is free now; None where it is unknown or simulated."""
    bandwidth_bytes_per_s: float | None
    flops: float | None
    """Dense half-precision operations per second that matter to prefill; None if unknown."""
    backend: str
    """`cpu`, `cuda`, `rocm`, `metal`, `sycl` or `vulkan`."""
    cores: int = 0
    """Processor cores behind a memory pool; 0 for a GPU."""
    shares_ram: bool = False
    """A GPU without memory of its own: what it holds counts against system memory."""
    int8_ops: float | None = None
    """Dense 8-bit integer operations per second; None if unknown."""
    stacked_memory: bool = False
    """High-bandwidth memory, which one request alone cannot keep busy."""
    family: CpuFamily = "unknown"
    """Of the processor behind a memory pool."""


@value
class Placement:
    """Everything llama.cpp must be told to run a candidate in one certain way."""

    gpu_layers: tuple[int, ...]
    """Layers on each GPU, in order of devices; empty without a GPU. The last layers of the model lie here."""
    output_on_gpu: bool
    """The output projection is offloaded, which llama.cpp counts as one layer more."""
    experts_in_ram: bool
    """Routed experts stay in system memory although their layer is on a GPU."""
    context_tokens: int
    """Cells of the whole KV cache: tokens of one request times parallel slots."""
    parallel: int
    kv_type: KvType
    flash_attention: bool
    batch: int
    ubatch: int
    threads: int
    value_type: KvType | None = None
    """Type of the cached values where it differs from that of the keys."""
    cache_on_gpu: bool = True
    """The cache of a layer lies where the layer does; otherwise in system memory."""
    outputs: int | None = None
    """Rows of logits in one micro-batch; None for all, as llama.cpp reserves unless it is told otherwise."""

    @property
    def n_gpu_layers(self) -> int:
        """The number for llama.cpp's `--n-gpu-layers`."""
        return sum(self.gpu_layers) + (1 if self.output_on_gpu else 0)

    @property
    def slot_tokens(self) -> int:
        """Tokens that one request can hold."""
        return self.context_tokens // self.parallel


def cpu_placement(context_tokens: int, *, parallel: int = 1, threads: int = 1, n_gpus: int = 0) -> Placement:
    """Everything in system memory, with llama.cpp's default batch sizes."""
    return Placement(
        gpu_layers=(0,) * n_gpus,
        output_on_gpu=False,
        experts_in_ram=False,
        context_tokens=context_tokens,
        parallel=parallel,
        kv_type="f16",
        flash_attention=True,
        batch=DEFAULT_BATCH,
        ubatch=DEFAULT_UBATCH,
        threads=threads,
    )


def with_gpu_layers(base: Placement, on_gpu: int, budgets: tuple[int, ...]) -> Placement:
    """The placement with that many layers on the GPUs, in proportion to their budgets, and the output where llama.cpp
    puts it: on a GPU from the first offloaded layer on.

    Shares are those of llama.cpp, for which the output is one layer more, behind all others (`load_tensors` in
    src/llama-model.cpp). GPUs of unknown memory count alike.
    """
    shares: list[int] = []
    weights = budgets if any(budgets) else (1,) * len(budgets)
    running, total = 0, sum(weights)
    for weight in weights:
        running += weight
        begun = -(-(on_gpu + 1) * running // total)
        shares.append(min(on_gpu, begun) - sum(shares))
    return replace(base, gpu_layers=tuple(shares), output_on_gpu=on_gpu > 0)


def tensor_split(gpu_layers: Sequence[int], n_gpu_layers: int) -> tuple[int, ...]:
    """llama.cpp's `--tensor-split` that leaves so many layers on each GPU: the output, which is what `n_gpu_layers` has
    more than they, counts as a layer of the last GPU in use."""
    shares = list(gpu_layers)
    if any(shares):
        shares[max(i for i, n in enumerate(shares) if n)] += n_gpu_layers - sum(shares)
    return tuple(shares)
