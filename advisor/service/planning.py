"""Plans for many users: model, load and machines put together for `advisor.domain.capacity`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from advisor.catalog.serving import load_nodes, load_serving
from advisor.domain.capacity.load import Traffic, traffic_of
from advisor.domain.capacity.nodes import Node
from advisor.domain.capacity.options import SURVIVE, Subject, Survive
from advisor.domain.capacity.plan import HERE, Plans, make_plans
from advisor.domain.capacity.replica import ENGINE_NAMES, ENGINES, EngineName, engine_named, refusals_text
from advisor.domain.capacity.sweep import Curve, curve
from advisor.domain.capacity.targets import targets_of
from advisor.domain.capacity.trace import COLUMNS, Trace, read_trace
from advisor.domain.capacity.vllm import PRECISIONS
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.model import Model
from advisor.domain.plan_options import PlanOptions
from advisor.domain.pools import Figures, memory_pools, threads_for
from advisor.domain.recommend import Recommendation, worth
from advisor.domain.scoring import rank_key
from advisor.errors import InputError, NoCandidateError, nearest

PCIE_BYTES_PER_S = 25e9
"""Between the GPUs of a machine at hand, whose link nobody stated: PCIe 4.0 x16 carries 31.5 GB/s."""
ORIGINAL = "BF16"

_LONGEST_LINE = 10_001
_TRACE_HINT = f"Write a row for each request: {COLUMNS}."


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be planned."""

    model: Model
    quantization: str
    """A GGUF file type for llama.cpp, or BF16 or FP8."""
    engine: EngineName | None
    """None for every engine."""
    is_quantization_given: bool
    survive: Survive = "replica"
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class PlanWishes:
    """What the user says of a plan beside the model."""

    engine: EngineName | None
    quantization: str | None
    """A GGUF file type, or BF16 or FP8; None leaves it to the ranking."""
    survive: Survive
    trace: Trace | None

    @property
    def file_type(self) -> str | None:
        """The GGUF file type that models are ranked in; None where none is given."""
        return file_type_of(self.quantization)

    def request(self, model: Model, file_type: str) -> PlanRequest:
        """The plan of a model, in a file type unless another is given."""
        given = self.quantization
        return PlanRequest(model, given or file_type, self.engine, given is not None, self.survive, self.trace)


def file_type_of(quantization: str | None) -> str | None:
    """The GGUF file type that it names; None for a precision of the original weights."""
    return None if quantization in PRECISIONS else quantization


def read_wishes(options: PlanOptions, file_type_named: Callable[[str], str]) -> PlanWishes:
    """What the words of the options mean; `file_type_named` gives the exact name of a GGUF file type.

    Raises InputError for an unknown engine, loss or file type, and for a trace that cannot be used.
    """
    wanted = None if options.engine is None else engine_named(options.engine)
    lost, quantization = survivor_named(options.survive), options.quantization
    if quantization is not None and quantization.upper() not in PRECISIONS:
        quantization = file_type_named(quantization)
    given = quantization.upper() if quantization is not None else None
    return PlanWishes(wanted, given, lost, None if options.trace is None else load_trace(options.trace))


def survivor_named(name: str | None) -> Survive:
    """What may be lost; a replica unless something else is named. Raises InputError for another word."""
    if name is None:
        return "replica"
    found = next((one for one in SURVIVE if one == name.lower()), None)
    if found is None:
        hint = nearest(name.lower(), SURVIVE) or f"What may be lost: {' or '.join(SURVIVE)}."
        raise InputError(f"unknown loss {name!r}", hint=hint)
    return found


def load_trace(path: Path) -> Trace:
    """Summarize a trace file. Raises InputError for a file that cannot be read or that is no trace."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return read_trace(_short_lines(lines, path), str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror, hint=_TRACE_HINT) from error


def _short_lines(file: TextIO, path: Path) -> Iterator[str]:
    """The lines of a file, of which none can fill the memory. Raises InputError for one that is no row of a trace."""
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise InputError(
                f"{path}: line {number} is longer than {_LONGEST_LINE - 1:,} characters",
                why="a trace is a CSV of three numbers in a row",
                hint=_TRACE_HINT,
            )
        yield line


def without_latency(constraints: Constraints) -> Constraints:
    """The constraints without targets: a model that misses them here may meet them on the machines of a plan."""
    return replace(constraints, latency=replace(constraints.latency, ttft_ms=None, tokens_per_s=None))


def pick_of(found: Recommendation, named: tuple[str, ...]) -> tuple[Model, str] | None:
    """The candidate that is worth its machines most, or that of the named model, with its file type; None where none
    passes."""
    candidates = found.candidates_of(named[0]) if named else found.ranked
    if not candidates:
        return None
    best = min(candidates, key=lambda c: rank_key(worth(c), c.id))
    return best.model, best.quantization.name


def nothing_passes(found: Recommendation) -> NoCandidateError:
    """Why there is no model to plan for."""
    nearest_miss = found.near_misses[0] if found.near_misses else None
    why = None
    if nearest_miss is not None:
        why = f"nearest: {nearest_miss.model.id}: {'; '.join(reason.text for reason in nearest_miss.reasons)}"
    return NoCandidateError(
        "no model passes on this machine, so there is none to plan for", why=why, hint="Name one: --model ID."
    )


def plan_serving(
    request: PlanRequest,
    machine: Machine,
    figures: Figures,
    constraints: Constraints,
    catalogue: Catalogue,
    knowledge: Path,
    gpus: tuple[GpuSpec, ...],
    own: Path,
) -> Plans:
    """Plans for a model. Raises InputError for an engine that cannot run the file type, NoCandidateError where no
    machine meets the targets, naming the bound that is missed by least."""
    subject = subject_of(request, constraints, catalogue, knowledge)
    engines = engines_of(request)
    nodes = load_nodes(knowledge, gpus, own)
    pools, threads = memory_pools(machine, constraints.machine, figures), threads_for(machine)
    here = machine_as_node(HERE, machine, figures, nodes)
    found = make_plans(subject, pools, threads, here, nodes, engines)
    if not found.plans:
        raise _nothing(found)
    return found


def sweep_here(
    subjects: Iterable[tuple[Model, str]],
    machine: Machine,
    figures: Figures,
    constraints: Constraints,
    catalogue: Catalogue,
    knowledge: Path,
    before_each: Callable[[], None] | None = None,
) -> Iterator[Curve]:
    """Users against latency of each model on this machine with llama.cpp. `before_each` may raise to stop."""
    pools, threads = memory_pools(machine, constraints.machine, figures), threads_for(machine)
    for model, quantization in subjects:
        if before_each is not None:
            before_each()
        request = PlanRequest(model, quantization, "llama.cpp", is_quantization_given=True)
        subject = subject_of(request, constraints, catalogue, knowledge)
        yield curve(make_plans(subject, pools, threads, None, (), ("llama.cpp",)), before_each)


def subject_of(request: PlanRequest, constraints: Constraints, catalogue: Catalogue, knowledge: Path) -> Subject:
    """What is to be served, for whom. Raises InputError and NoCandidateError as `plan_serving` does."""
    model = request.model
    if model.shape is None:
        raise NoCandidateError(f"{model.id} cannot be planned", why=model.shape_reason or "its shape is not known")
    traffic = traffic_of(constraints, request.trace)
    return Subject(
        model=model,
        shape=model.shape,
        quantization=request.quantization,
        precisions=_precisions(request),
        context_tokens=_context(model, constraints, traffic),
        traffic=traffic,
        targets=targets_of(constraints),
        speed=catalogue.speed,
        serving=load_serving(knowledge),
        reserve_vram_bytes=constraints.machine.reserve_vram_bytes,
        allow_cpu=constraints.machine.allow_cpu,
        survive=request.survive,
    )


def _precisions(request: PlanRequest) -> tuple[str, ...]:
    """Precisions of the original weights. Raises InputError where the engine cannot have what was asked for."""
    quantization, given = request.quantization, request.is_quantization_given
    if quantization in PRECISIONS:
        if request.engine == "llama.cpp" and quantization != ORIGINAL:
            raise InputError(
                f"llama.cpp has no file type {quantization}", hint="Name a GGUF file type, e.g. --quant Q8_0."
            )
        return (quantization,)
    if given and request.engine == "vllm":
        raise InputError(
            f"vLLM cannot be planned with the GGUF file type {quantization}",
            why="it serves the original weights, whole (BF16) or quantized when they are loaded (FP8)",
            hint="Leave --quant out, or write --quant BF16 or --quant FP8.",
        )
    return () if given else PRECISIONS


def _context(model: Model, constraints: Constraints, traffic: Traffic) -> int:
    """Tokens that a request may hold: those of the constraints, or of the longest request of a trace."""
    context = max(constraints.task.context_tokens, traffic.largest_tokens)
    most = model.max_context_tokens
    if most is not None and traffic.largest_tokens > most:
        raise NoCandidateError(
            f"{model.id} cannot hold a request of {traffic.largest_tokens:,} tokens",
            why=f"its context ends at {most:,}",
            hint="Name a model with a longer context: --model ID.",
        )
    return context if most is None else min(context, most)


def engines_of(request: PlanRequest) -> tuple[EngineName, ...]:
    """The engines to plan for."""
    if request.quantization == "FP8":
        return ("vllm",)
    return ENGINES if request.engine is None else (request.engine,)


def machine_as_node(name: str, machine: Machine, figures: Figures, nodes: tuple[Node, ...]) -> Node | None:
    """A machine as a node, where its GPUs are alike and known. What they multiply in, a listed node tells."""
    specs = [spec for spec in figures.gpus if spec is not None]
    if not specs or len(specs) < len(figures.gpus) or len(set(specs)) > 1 or specs[0].unified_memory:
        return None
    return Node(
        name=name,
        gpu=specs[0],
        count=len(specs),
        memory_bytes=machine.memory.capacity_bytes,
        cores=machine.cpu.physical_cores.value,
        link_bytes_per_s=PCIE_BYTES_PER_S if len(specs) > 1 else None,
        network_bytes_per_s=None,
        fp8=any(node.fp8 for node in nodes if node.gpu.name == specs[0].name),
        price=None,
        source="probed or simulated",
    )


def _nothing(found: Plans) -> NoCandidateError:
    """Why no machine will do: the bound of the fastest placement where a target is below it, else what is lacking."""
    what = f"no plan meets the targets with {found.subject.model.id}"
    bounds = sorted((r for r in found.refusals if r.floor_s is not None), key=lambda r: r.floor_s or 0.0)
    if bounds:
        fastest = bounds[0]
        hint = "Relax latency.ttft_ms or latency.tokens_per_s, shorten the prompt, or name a smaller model: --model ID."
        why = f"the fastest placement is {ENGINE_NAMES[fastest.engine]} on {fastest.place}, and there is {fastest.text}"
        return NoCandidateError(what, why=why, hint=hint)
    why = refusals_text(found.refusals)
    return NoCandidateError(
        f"no plan for {found.subject.model.id}", why=why, hint="Name another model (--model ID) or engine (--engine)."
    )
