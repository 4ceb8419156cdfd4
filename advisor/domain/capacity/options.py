"""The ways to run one model on one kind of machine, per engine, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from advisor.domain.capacity import llamacpp, vllm
from advisor.domain.capacity.engines import BatchConstants, ServingFacts
from advisor.domain.capacity.load import Traffic
from advisor.domain.capacity.nodes import Node
from advisor.domain.capacity.replica import EngineName, Refusal, Replica, SlotsBy
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts
from advisor.domain.capacity.targets import Targets, fast_enough
from advisor.domain.fit import Fit
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.pools import CONTEXT_BYTES
from advisor.domain.slots import parts_for_copies, threads_of_copy, ways_with_slots
from advisor.domain.speed.constants import SpeedConstants
from advisor.domain.speed.work import parts_of, used_share
from advisor.domain.weights import Weights, weights
from advisor.units import GIB, format_bytes

MAX_STAGES = 4
"""Most nodes that share the layers of one replica."""
_POWERS = (1, 2, 4, 8, 16)
_PLENTY = 1 << 50

Option = Replica | Refusal
Survive = Literal["replica", "machine"]
"""What may be lost while the targets still hold."""
SURVIVE: tuple[Survive, ...] = ("replica", "machine")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be served, for whom."""

    model: Model
    shape: Shape
    quantization: str
    """llama.cpp's file type."""
    precisions: tuple[str, ...]
    """Of the original weights, for vLLM."""
    context_tokens: int
    traffic: Traffic
    targets: Targets
    speed: SpeedConstants
    serving: ServingFacts
    reserve_vram_bytes: int
    allow_cpu: bool
    survive: Survive = "replica"

    @property
    def depth_tokens(self) -> int:
        return round(self.traffic.prompt_tokens + self.traffic.answer_tokens / 2)


def llama_on_pools(subject: Subject, place: str, pools: tuple[Pool, ...], threads: int) -> Iterator[Option]:
    """llama.cpp on the machine at hand, in the placement with most slots; on several like GPUs also as copies on one,
    two, four of them each."""
    if not pools[0].budget_bytes:
        yield Refusal("llama.cpp", place, "memory", "its system memory is unknown, or all of it is kept free")
        return
    held = weights(subject.shape, subject.quantization)
    fitting = False
    for part, copies in parts_for_copies(pools):
        own = threads_of_copy(threads, copies)
        found = _most_slots(subject, held, part, own, allow_cpu=subject.allow_cpu and copies == 1)
        if found is not None:
            fitting = True
            yield from _llama(subject, held, place, found)
    if fitting:
        return
    if not subject.allow_cpu and _most_slots(subject, held, pools, threads, allow_cpu=True) is not None:
        text = "it fits only with layers on the processor, which machine.allow_cpu excludes"
        yield Refusal("llama.cpp", place, "no_cpu", text)
        return
    yield _too_large(subject, place, "llama.cpp", held.total_bytes)


def llama_on_machine(
    subject: Subject, place: str, pools: tuple[Pool, ...], threads: int
) -> Iterator[tuple[int, Option]]:
    """llama.cpp on a machine that may hold several replicas, each option with their number.

    GPUs of one kind are shared out, as few for a replica as hold the model and twice as many; on a processor further
    replicas would only share its cores and the bandwidth of its memory.
    """
    gpus = pools[1:]
    tried = 0
    for n_gpus in _POWERS if pools[0].budget_bytes and _are_alike(gpus) else ():
        replicas = len(gpus) // n_gpus
        if replicas < 1 or tried == 2:
            break
        ram = replace(pools[0], budget_bytes=pools[0].budget_bytes * n_gpus // len(gpus))
        held = weights(subject.shape, subject.quantization)
        own = threads_of_copy(threads, replicas)
        found = _most_slots(subject, held, (ram, *gpus[:n_gpus]), own, allow_cpu=False)
        if found is not None:
            tried += 1
            for option in _llama(subject, held, place, found):
                yield replicas, option
    if not tried:
        for option in llama_on_pools(subject, place, pools, threads):
            yield 1, option


def _are_alike(gpus: tuple[Pool, ...]) -> bool:
    """Whether GPUs with memory of their own differ in nothing but their names."""
    return len({replace(gpu, name="", free_bytes=None) for gpu in gpus}) == 1 and not gpus[0].shares_ram


def llama_on_node(subject: Subject, node: Node) -> Iterator[Option]:
    """llama.cpp on the GPUs of a node, as few of them for a replica as hold the model, and twice as many."""
    held = weights(subject.shape, subject.quantization)
    tried = 0
    for n_gpus in _POWERS:
        if n_gpus > node.count or tried == 2:
            break
        # Each copy has its share of the cores, as of the memory.
        threads = (node.cores or 1) * n_gpus // node.count
        found = _most_slots(subject, held, _node_pools(subject, node, n_gpus), threads, allow_cpu=False)
        if found is not None:
            tried += 1
            yield from _llama(subject, held, node.name, found, _memory_note(node, found))
    if not tried:
        yield _too_large(subject, node.name, "llama.cpp", held.total_bytes)


def _memory_note(node: Node, fit: Fit) -> tuple[str, ...]:
    need = fit.footprint.devices[0].total_bytes
    if node.memory_bytes is not None:
        return ()
    return (f"system memory of {node.name} is unknown; {format_bytes(need)} are needed",)


def _node_pools(subject: Subject, node: Node, n_gpus: int) -> tuple[Pool, ...]:
    gpu = node.gpu
    taken = subject.reserve_vram_bytes + CONTEXT_BYTES.get(gpu.backend, 0)
    share = _PLENTY if node.memory_bytes is None else node.memory_bytes * n_gpus // node.count
    ram = Pool("RAM", "ram", share, None, None, None, "cpu", cores=node.cores or 1)
    vram = Pool(
        name="GPU",
        kind="gpu",
        budget_bytes=max(0, gpu.memory_bytes - taken),
        free_bytes=None,
        bandwidth_bytes_per_s=gpu.bandwidth_bytes_per_s,
        flops=gpu.fp16_flops,
        backend=gpu.backend,
        int8_ops=gpu.int8_ops,
        stacked_memory=gpu.stacked_memory,
    )
    return (ram, *(replace(vram, name=f"GPU{i}") for i in range(n_gpus)))


def _most_slots(
    subject: Subject, held: Weights, pools: tuple[Pool, ...], threads: int, *, allow_cpu: bool
) -> Fit | None:
    """The placement with most slots that has as many layers on GPUs as one with one slot."""
    base = cpu_placement(subject.context_tokens, threads=max(1, threads), n_gpus=len(pools) - 1)
    most = subject.serving.llama_max_slots
    ways = ways_with_slots(subject.shape, held, base, most, pools, allow_cpu=allow_cpu)
    return ways[0] if ways else None


def _llama(subject: Subject, held: Weights, place: str, fit: Fit, notes: tuple[str, ...] = ()) -> Iterator[Option]:
    costs = llamacpp.step_costs(subject.shape, held, fit, subject.speed, depth_tokens=subject.depth_tokens)
    if costs is None:
        yield Refusal("llama.cpp", place, "no_bandwidth", "the memory bandwidth of its GPU is unknown")
        return
    limits = llamacpp.limits(fit.placement)
    at_most = subject.serving.llama_max_slots
    slots_by: SlotsBy = "engine" if limits.slots >= at_most else "memory"
    limits, slots_by = _fast_enough(subject, costs, limits, slots_by)
    parts = parts_of(held)
    active = (
        sum(parts.dense.values()) + used_share(subject.shape) * sum(parts.experts.values()) + sum(parts.output.values())
    )
    bandwidth = max((p.bandwidth_bytes_per_s or 0.0) for p in fit.pools)
    yield Replica(
        engine="llama.cpp",
        place=place,
        quantization=subject.quantization,
        tensor_parallel=1,
        pipeline_parallel=1,
        context_tokens=subject.context_tokens,
        costs=costs,
        limits=limits,
        slots_by=slots_by,
        weights_bytes=held.total_bytes,
        cache_bytes=fit.footprint.kv_cache_bytes * limits.slots // fit.placement.parallel,
        read_s=active / bandwidth if bandwidth else 0.0,
        fit=fit,
        notes=(*fit.notes, *notes),
    )


def _fast_enough(subject: Subject, costs: StepCosts, limits: Limits, slots_by: SlotsBy) -> tuple[Limits, SlotsBy]:
    return fast_enough(subject.traffic, subject.targets, costs, limits, slots_by)


def vllm_on_node(subject: Subject, node: Node) -> Iterator[Option]:
    """vLLM on the GPUs of a node; on several nodes where one is too small."""
    own = subject.serving.vllm.by_backend.get(node.gpu.backend)
    if own is None:
        text = f"vLLM has no constants for {node.gpu.backend}; plans for it need CUDA or ROCm"
        yield Refusal("vllm", node.name, "no_backend", text)
        return
    precisions = [p for p in subject.precisions if p != "FP8" or node.fp8]
    if not precisions:
        text = f"{node.gpu.name} is not known to multiply in FP8, and the weights are asked for in FP8 alone"
        yield Refusal("vllm", node.name, "no_fp8", text)
        return
    fitting = [(precision, group) for precision in precisions for group in _groups(subject, node, precision)]
    if not fitting:
        smallest = min(vllm.sized(subject.shape, precision).total for precision in precisions)
        yield _too_large(subject, node.name, "vllm", int(smallest))
        return
    replicas = [_vllm(subject, node, precision, group, own) for precision, group in fitting]
    yield from [replica for replica in replicas if replica is not None]
    if None in replicas:
        yield Refusal("vllm", node.name, "no_compute_rate", f"the compute rate of {node.gpu.name} is unknown")


def _groups(subject: Subject, node: Node, precision: str) -> Iterator[vllm.Group]:
    """The smallest group that holds the model and room for a request, and larger ones within the node."""
    facts, shape = subject.serving.vllm, subject.shape
    need = max(subject.traffic.largest_tokens, subject.context_tokens)
    fitting = 0
    for tensor in _POWERS:
        if tensor > node.count or not vllm.can_split(shape, tensor):
            break
        group = vllm.Group(node.gpu, tensor, link_bytes_per_s=node.link_bytes_per_s)
        if vllm.cache_tokens(shape, precision, group, facts) >= need:
            fitting += 1
            yield group
        if fitting == 3:
            return
    if fitting:
        return
    whole = max(n for n in _POWERS if n <= node.count and vllm.can_split(shape, n))
    network = node.network_bytes_per_s or subject.serving.network_bytes_per_s
    for stages in range(2, MAX_STAGES + 1):
        # Each step hands the hidden state of its tokens on, which is small beside what a node reads for it.
        hop_s = subject.serving.network_hop_s + 2 * shape.hidden_size * facts.batched_tokens / network
        group = vllm.Group(node.gpu, whole, stages, node.link_bytes_per_s, network, hop_s)
        if vllm.cache_tokens(shape, precision, group, facts) >= need:
            yield group
            return


def _vllm(subject: Subject, node: Node, precision: str, group: vllm.Group, own: BatchConstants) -> Replica | None:
    facts, shape = subject.serving.vllm, subject.shape
    costs = vllm.step_costs(shape, precision, group, own, depth_tokens=subject.depth_tokens)
    if costs is None:
        return None
    sized = vllm.sized(shape, precision)
    limits, slots_by = _fast_enough(subject, costs, vllm.limits(shape, precision, group, facts), "engine")
    active = sized.dense + used_share(shape) * sized.experts + sized.output
    notes = []
    if precision == "FP8":
        notes.append("weights are quantized to FP8 when they are loaded; check the answers on your own task")
    if node.gpu.backend == "rocm":
        notes.append("constants of vLLM on AMD GPUs are of 2024, before faster kernels: a cautious figure")
    if group.stages > 1:
        notes.append(f"{group.stages} nodes hold a share of the layers each (pipeline parallel)")
    return Replica(
        engine="vllm",
        place=node.name,
        quantization=precision,
        tensor_parallel=group.tensor,
        pipeline_parallel=group.stages,
        context_tokens=subject.context_tokens,
        costs=costs,
        limits=limits,
        slots_by=slots_by,
        weights_bytes=int(sized.total),
        cache_bytes=int((limits.cache_tokens or 0) * vllm.kv_token_bytes(shape, group.tensor)),
        read_s=active / (group.gpu.bandwidth_bytes_per_s * group.tensor),
        notes=tuple(notes),
    )


def unsupported(subject: Subject, engine: EngineName) -> Refusal | None:
    """Why an engine cannot run the model anywhere, or None where it can."""
    if engine != "vllm":
        return None
    architecture, known = subject.shape.architecture, subject.serving.vllm.architectures
    if architecture not in known:
        names = ", ".join(sorted(known))
        text = f"vLLM is not known to run the architecture {architecture} (a source says so of {names})"
        return Refusal("vllm", None, "architecture", text)
    found = known[architecture]
    if found.not_planned is not None:
        what = ", ".join(found.classes) or architecture
        text = f"vLLM runs {architecture} ({what}; {found.source}), but there are no plans for it: {found.not_planned}"
        return Refusal("vllm", None, "not_modelled", text)
    if not subject.precisions:
        text = f"vLLM serves the original weights as BF16 or FP8, not the GGUF file type {subject.quantization}"
        return Refusal("vllm", None, "file_type", text)
    return None


def alone_requests_per_s(replica: Replica, traffic: Traffic) -> float:
    """Requests that one user can send, each when the one before is done."""
    prompt_s = replica.costs.prompt_s(round(traffic.prompt_tokens), replica.limits.chunk_tokens)
    depth = traffic.prompt_tokens + traffic.answer_tokens / 2
    return 1 / (prompt_s + (traffic.answer_tokens - 1) * replica.costs.token_s(1, depth))


def _too_large(subject: Subject, place: str, engine: EngineName, n_bytes: int) -> Refusal:
    what = f"{n_bytes / GIB:.1f} GiB of weights and a context of {subject.context_tokens:,} tokens"
    return Refusal(engine, place, "memory", f"{what} do not fit")
