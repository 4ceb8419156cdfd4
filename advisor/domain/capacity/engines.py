"""What is known about the engines beside llama.cpp that plans can name: constants of `knowledge/serving.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatchConstants:
    """What one unit of work costs vLLM on a back end, as multiples of the published rates, or in seconds."""

    read: float
    """Times that a weight's bytes count at the published bandwidth."""
    kv_read: float
    """The same for the KV cache."""
    kv_reread: float
    """Times that the cache is read again for each further query head that shares its keys and values. Kernels that
    serve every head by itself do so, as vLLM's paged attention did on AMD GPUs in 2024."""
    compute: float
    """Times that the multiplications of decoded tokens count at the published compute rate."""
    prefill: float
    """The same for prompts."""
    layer_s: float
    """Seconds per layer and step."""
    step_s: float
    """Seconds per step: scheduling, sampling, handing out tokens."""
    all_reduce_s: float
    """Seconds per all-reduce, of which a layer has two, where several GPUs share each layer."""
    throughput_spread: float
    """Four in five published throughputs lie within this share of the prediction made without their GPU."""


@dataclass(frozen=True, slots=True)
class SupportedArchitecture:
    """An architecture that vLLM runs from the original weights, says a source."""

    classes: tuple[str, ...]
    """vLLM's names; none where the source names none."""
    source: str
    not_planned: str | None
    """Why no plan can be made although vLLM runs it; None where one can."""


@dataclass(frozen=True, slots=True)
class VllmFacts:
    """vLLM's settings and needs."""

    architectures: Mapping[str, SupportedArchitecture]
    """By llama.cpp's name. Of others it is not known whether vLLM runs them."""
    memory_share: float
    """`--gpu-memory-utilization`."""
    overhead_bytes: int
    """Of each GPU, beside weights and cache: CUDA context, activations of a profiling run, CUDA graphs."""
    shared_bytes: int
    """The same again of each GPU where several share a layer: buffers of the all-reduce."""
    max_sequences: int
    """`--max-num-seqs`."""
    batched_tokens: int
    """`--max-num-batched-tokens`."""
    by_backend: Mapping[str, BatchConstants]


@dataclass(frozen=True, slots=True)
class ServingFacts:
    vllm: VllmFacts
    llama_max_slots: int
    """llama.cpp's `LLAMA_MAX_SEQ` is larger; plans stay below this."""
    network_bytes_per_s: float
    """Between nodes, where the list of nodes does not say."""
    network_hop_s: float
    """From one node to the next, per step."""
