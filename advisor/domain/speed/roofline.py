"""Seconds that a pool takes for its share of a token or of a prompt.

Every term is work over a rate, and the terms add up: bytes over bandwidth, operations over compute rate, layers
times the fixed cost of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.domain.ggml import GGML_TYPES
from advisor.domain.kv_cache import honoured_window
from advisor.domain.model import Shape
from advisor.domain.placement import Pool
from advisor.domain.speed.constants import CpuConstants, GpuConstants, SpeedConstants, type_class
from advisor.domain.speed.work import Parts, PoolWork, visited_bytes
from advisor.values import value

_DEFAULT_TYPE = "Q4_K"
"""Stands in for a ggml type that nobody has timed."""
_FALLBACK_BACKEND = "vulkan"
"""Runs on everything, so a back end without constants is at least as fast."""


@value
class Prompt:
    """A prompt that is computed in micro-batches."""

    n_tokens: int
    depth_tokens: int = 0
    """Tokens in the cache before it."""
    ubatch: int = 512

    @property
    def n_ubatches(self) -> int:
        return -(-self.n_tokens // self.ubatch)

    @property
    def mean_depth(self) -> float:
        """Tokens that a token of the prompt looks back on, averaged."""
        return self.depth_tokens + self.n_tokens / 2


@value
class Rates:
    """What is known about one GPU."""

    bandwidth: float
    """Bytes per second."""
    flops: float
    """Operations per second that count for prompts."""
    stacked_memory: bool


def gpu_constants(constants: SpeedConstants, backend: str) -> GpuConstants:
    """A back end's constants, or those of the slowest general one."""
    return constants.gpu.get(backend) or constants.gpu[_FALLBACK_BACKEND]


def cpu_constants(constants: SpeedConstants, pool: Pool, assumed: list[str]) -> CpuConstants:
    """The constants of a processor's family, or the cautious ones where it is unknown."""
    if pool.family == "unknown":
        assumed.append("family of the processor unknown, the slower of x86 and Arm assumed")
    return constants.cpu[pool.family]


def gpu_rates(pool: Pool, constants: SpeedConstants, assumed: list[str]) -> Rates | None:
    """Published rates of a GPU; None where its bandwidth is unknown."""
    bandwidth = pool.bandwidth_bytes_per_s
    if bandwidth is None:
        return None
    flops = pool.flops
    if pool.backend == "cuda" and pool.int8_ops is not None:
        # llama.cpp multiplies quantized matrices with integer units; on every card their rate tells more about
        # prompts than the half-precision one, which GeForce cards have halved.
        flops = pool.int8_ops / 2
    if flops is None:
        per_byte = constants.unknown_flops_per_byte
        assumed.append(f"{pool.name}: compute rate unknown, {per_byte:g} operations per byte of bandwidth assumed")
        flops = per_byte * bandwidth
    return Rates(bandwidth, flops, pool.stacked_memory)


def gpu_decode_s(parts: Parts, work: PoolWork, shape: Shape, rates: Rates, own: GpuConstants) -> float:
    """Seconds of a GPU for one token."""
    touched = visited_bytes(parts, work, shape, 1)
    if work.has_output:
        for name, n in parts.output.items():
            touched[name] = touched.get(name, 0.0) + n
    stall = own.stall_hbm_s_per_byte if rates.stacked_memory else own.stall_s_per_byte
    per_byte = own.read / rates.bandwidth + stall
    seconds = work.kv_bytes * own.kv_read / rates.bandwidth + work.n_layers * own.layer_s
    for name, n in touched.items():
        ops = own.decode_ops.get(type_class(name), 0.0)
        seconds += n * (per_byte + ops * weights_per_byte(name) / rates.flops)
    return seconds


def gpu_prefill_s(parts: Parts, work: PoolWork, shape: Shape, rates: Rates, own: GpuConstants, prompt: Prompt) -> float:
    """Seconds of a GPU for a prompt, without overlap with other GPUs."""
    seconds = work.n_layers * own.prefill_layer_s * prompt.n_ubatches
    mixture = own.prefill_experts if shape.experts is not None else 1.0
    for name, n in visited_bytes(parts, work, shape, 1).items():
        ops = 2 * n * weights_per_byte(name) * prompt.n_tokens
        seconds += own.prefill[type_class(name)] * mixture * ops / rates.flops
    read = sum(visited_bytes(parts, work, shape, min(prompt.ubatch, prompt.n_tokens)).values())
    seconds += own.prefill_read * read * prompt.n_ubatches / rates.bandwidth
    return seconds + own.attention * attention_ops(work, shape, prompt) / rates.flops


def sent_tokens(n_tokens: int, ubatch: int, sent_from_tokens: int) -> int:
    """Of tokens that are computed together, those with which a GPU multiplies the layers that stay in system memory.

    llama.cpp decides for each micro-batch by its tokens alone, whichever would be faster: from `sent_from_tokens` on it
    sends the weights, of a mixture the experts that are used, to the GPU, else the processor computes (`offload_op` of
    its back ends and `op_offload` of ggml-backend.cpp; GGML_OP_OFFLOAD_MIN_BATCH changes the 32 tokens). Sending and
    multiplying do not overlap (ggml-org/llama.cpp issue 25859).
    """
    rest = n_tokens % ubatch
    whole = n_tokens - rest if ubatch >= sent_from_tokens else 0
    return whole + (rest if rest >= sent_from_tokens else 0)


def attention_ops(work: PoolWork, shape: Shape, prompt: Prompt) -> float:
    """Operations of the scores and of the weighted sum of values, over a prompt."""
    if shape.state_space is not None:
        return 0.0
    depth, window = prompt.mean_depth, honoured_window(shape)
    back = work.n_layers * depth
    if window is not None:
        limited = work.n_layers * (1 - 1 / window.full_every)
        back = (work.n_layers - limited) * depth + limited * min(depth, window.tokens)
    return 4.0 * prompt.n_tokens * back * shape.n_heads * shape.head_dim


def cpu_decode_s(parts: Parts, work: PoolWork, shape: Shape, own: CpuConstants, assumed: list[str]) -> float:
    """Seconds of the processor for one token."""
    touched = visited_bytes(parts, work, shape, 1)
    if work.has_output:
        for name, n in parts.output.items():
            touched[name] = touched.get(name, 0.0) + n
    cores = max(1, work.pool.cores)
    memory = own.read_share * bandwidth_of(work.pool, own, assumed)
    seconds = read_seconds(touched, memory, cores, own)
    attended = work.kv_bytes * heads_of_a_cell(shape)
    seconds += max(work.kv_bytes / memory, attended / (cores * own.core_cache_bytes_per_s))
    return seconds + work.n_layers * cores * own.sync_s


def heads_of_a_cell(shape: Shape) -> float:
    """Query heads that look at the same bytes of the cache; a processor goes through these once for each."""
    if shape.state_space is not None:
        return 1.0
    return float(shape.n_heads) if shape.latent is not None else shape.n_heads / max(1, shape.n_kv_heads)


def cpu_prefill_s(parts: Parts, work: PoolWork, shape: Shape, own: CpuConstants, prompt: Prompt) -> float:
    """Seconds of the processor for a prompt, which reads the weights of the next multiplications meanwhile."""
    cores = max(1, work.pool.cores)
    seconds = attention_ops(work, shape, prompt) / (cores * own.attention_flops)
    for name, n in visited_bytes(parts, work, shape, 1).items():
        seconds += 2 * n * weights_per_byte(name) * prompt.n_tokens / (cores * rate_of(own.core_flops, name))
    read = visited_bytes(parts, work, shape, min(prompt.ubatch, prompt.n_tokens))
    memory = own.read_share * bandwidth_of(work.pool, own, [])
    read_s = prompt.n_ubatches * read_seconds(read, memory, cores, own)
    return max(seconds, read_s) + work.n_layers * cores * own.sync_s * prompt.n_ubatches


def read_seconds(held: Mapping[str, float], memory: float, cores: int, own: CpuConstants) -> float:
    """Seconds in which cores decode weights, or in which memory of so many bytes per second brings them."""
    rates = own.core_read_bytes_per_s
    return sum(max(n / memory, n / (cores * rate_of(rates, name))) for name, n in held.items())


def overlap(n_gpus: int, prompt: Prompt, constants: SpeedConstants) -> float:
    """Share of the time that remains where several GPUs work on micro-batches at once, as on an assembly line."""
    if n_gpus < 2:
        return 1.0
    ideal = (prompt.n_ubatches + n_gpus - 1) / (n_gpus * prompt.n_ubatches)
    return 1.0 - constants.pipelining * (1.0 - ideal)


def bandwidth_of(pool: Pool, own: CpuConstants, assumed: list[str]) -> float:
    """Peak bytes per second of system memory, or what is assumed where nobody knows."""
    if pool.bandwidth_bytes_per_s is not None:
        return pool.bandwidth_bytes_per_s
    unknown = own.unknown_bandwidth_bytes_per_s
    assumed.append(f"memory bandwidth unknown, {unknown / 1e9:g} GB/s assumed")
    return unknown


def rate_of(rates: Mapping[str, float], ggml_type: str) -> float:
    """The rate of a ggml type, or of the type that stands in for it."""
    return rates.get(ggml_type) or rates[_DEFAULT_TYPE]


def weights_per_byte(ggml_type: str) -> float:
    """Weights in a byte of a ggml type: 0.5 for F16."""
    found = GGML_TYPES[ggml_type]
    return found.block_size / found.block_bytes
