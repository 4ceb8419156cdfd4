"""From a recommendation file to what serves it: the file's own placement, or a plan's for a kind of node."""

from __future__ import annotations

import math
from dataclasses import dataclass

from advisor.domain.capacity.engines import VllmFacts
from advisor.domain.capacity.plan import ServingPlan
from advisor.domain.capacity.replica import EngineName
from advisor.domain.export_request import DEFAULT_PORT
from advisor.domain.footprint import DeviceFootprint
from advisor.domain.placement import Placement
from advisor.errors import InputError, NoCandidateError, NotProbedError
from advisor.export.deploy.cautions import cautions_of
from advisor.export.deploy.serving import (
    Duty,
    GgufSource,
    LicenceDuties,
    LlamaSettings,
    Origin,
    Replicas,
    Serving,
    VllmSettings,
)
from advisor.export.recommendation_schema import ObligationTable, PickTable, PlacementTable
from advisor.export.report.contents import Recorded
from advisor.export.words import VERDICT_WORDS
from advisor.text import one_line
from advisor.units import counted, format_bytes

_LEFT_FOR_PODS = 0.8
"""Of a node: the rest is for the system, the agents on it and Ray itself."""


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """What the user decides about the files."""

    engine: EngineName
    slots: int | None = None
    replicas: int | None = None
    port: int = DEFAULT_PORT
    image: str | None = None
    gguf: GgufSource | None = None
    """Weights for llama.cpp in place of the catalogue's."""
    allow_simulated: bool = False


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the catalogue knows of the model and a recommendation file does not record."""

    title: str
    licence_name: str
    licence_url: str | None
    gated: bool | None
    gguf: GgufSource | None
    """A published file of the recorded quantization, or a repository that may have one; None where none is known."""
    backend: str = "cpu"
    """Of the recorded machine's first GPU."""
    published: tuple[str, ...] = ()
    """Quantizations of which files are known."""
    notes: tuple[str, ...] = ()
    """What must be known of the original weights."""


def serving_of(
    recorded: Recorded,
    facts: ModelFacts,
    options: ServingOptions,
    *,
    scales: bool,
    plan: ServingPlan | None = None,
    vllm: VllmFacts | None = None,
) -> Serving:
    """What the target's files say. `scales` tells whether they can run more than one replica.

    A plan and `vllm` are needed for vLLM. Raises InputError for options that the target cannot have and for a machine
    that was only described, NoCandidateError where the licence does not allow the recorded use.
    """
    _refuse(recorded, facts, options, plan, scales=scales)
    pick = recorded.file.recommendation
    sized = _from_file(recorded, options) if plan is None else _from_plan(plan, options)
    replicas = _replicas(recorded, options, sized, plan, scales=scales)
    gguf = _gguf(pick, facts, options) if options.engine == "llama.cpp" else None
    return Serving(
        name=recorded.name,
        engine=options.engine,
        model=pick.model,
        title=facts.title,
        hf_id=pick.hf_id,
        quantization=pick.quantization if plan is None else plan.replica.quantization,
        gguf=gguf,
        context_tokens=sized.context_tokens,
        slots=sized.slots,
        llama=sized.llama if options.engine == "llama.cpp" else None,
        vllm=_vllm(plan, vllm) if options.engine == "vllm" else None,
        gpus=sized.gpus,
        backend=_backend(sized, facts, plan),
        ram_bytes=sized.ram_bytes,
        vram_bytes=sized.vram_bytes,
        cores=sized.cores,
        weights_bytes=pick.footprint.weights_bytes if plan is None else plan.replica.weights_bytes,
        replicas=replicas,
        licence=licence_of(pick, facts),
        origin=_origin(recorded),
        cautions=(*cautions_of(recorded, facts.notes, replicas, plan, gguf, scales=scales), *sized.cautions),
        text_only=_is_text_only(recorded),
        port=options.port,
        image=options.image,
    )


def _origin(recorded: Recorded) -> Origin:
    file = recorded.file
    return Origin(recorded.sha256, file.tool_version, file.created, file.machine.simulated)


def _backend(sized: _Sized, facts: ModelFacts, plan: ServingPlan | None) -> str:
    if not sized.gpus:
        return "cpu"
    return facts.backend if plan is None or plan.node is None else plan.node.gpu.backend


def licence_of(pick: PickTable, facts: ModelFacts) -> LicenceDuties:
    """What the files must say of the licence."""
    licence = pick.licence
    cautious = [duty for duty in licence.conservative.obligations if duty not in licence.obligations]
    return LicenceDuties(
        id=licence.licence,
        name=facts.licence_name,
        url=facts.licence_url,
        verdict=VERDICT_WORDS[licence.verdict],
        duties=tuple(map(_duty, licence.obligations)),
        cautious_duties=tuple(map(_duty, cautious)),
        standing=tuple(Duty(term.id, term.text) for term in licence.standing),
        gated=facts.gated,
    )


def _duty(table: ObligationTable) -> Duty:
    return Duty(table.id, table.text, table.exact)


def _refuse(
    recorded: Recorded, facts: ModelFacts, options: ServingOptions, plan: ServingPlan | None, *, scales: bool
) -> None:
    """Raises for what must not or cannot be exported, as `serving_of` says."""
    pick = recorded.file.recommendation
    _refuse_controls(pick, facts, options)
    _refuse_licence(pick)
    if plan is None or plan.node is None:
        _refuse_simulated(recorded, options)
    if options.replicas is not None and options.replicas > 1 and not scales:
        raise InputError(
            f"this target runs one copy, not {options.replicas}",
            hint="Export --to kubernetes or ray-serve, or run it on several machines behind a load balancer.",
        )


def _refuse_licence(pick: PickTable) -> None:
    if pick.licence.verdict.grants:
        return
    raise NoCandidateError(
        f"{pick.model} is not exported for serving",
        why=f"its licence for the described use: {VERDICT_WORDS[pick.licence.verdict]}",
        hint="Describe the use that you have a licence for, and recommend again.",
    )


def _refuse_controls(pick: PickTable, facts: ModelFacts, options: ServingOptions) -> None:
    """No shell, unit or file format of the targets can hold such a name as it is."""
    source = options.gguf or facts.gguf
    names = [pick.model, pick.hf_id, pick.quantization, options.image or ""]
    names += [] if source is None else [source.repo or "", source.file or ""]
    for name in names:
        if not name.isprintable():
            raise InputError(f"the name {one_line(name)!r} has control characters", hint="Rename what it stands for.")


def _refuse_simulated(recorded: Recorded, options: ServingOptions) -> None:
    if not recorded.file.machine.simulated or options.allow_simulated:
        return
    raise NotProbedError(
        "the recommendation is for a machine that was described, not probed",
        why="its threads, memory and GPUs may not be those of the machine that will serve",
        hint="Recommend on that machine, plan for a listed one with --node, or insist with --allow-simulated.",
    )


def _gguf(pick: PickTable, facts: ModelFacts, options: ServingOptions) -> GgufSource:
    found = options.gguf or facts.gguf
    if found is None:
        why = f"known are {', '.join(facts.published)}" if facts.published else None
        raise InputError(
            f"no published {pick.quantization} file of {pick.model} is known",
            why=why,
            hint="Name one with --gguf owner/name/FILE.gguf, or /PATH/FILE.gguf on the machine that serves; read "
            f"the Hub's list with llm-advisor catalog refresh {pick.model}; or recommend with a known --quant.",
        )
    return found


def _is_text_only(recorded: Recorded) -> bool:
    answers = recorded.file.constraints
    modality = answers.get("use", {}).get("modality", "text")
    return modality == "text" and answers.get("task", {}).get("kind") != "vision"


@dataclass(frozen=True, slots=True)
class _Sized:
    """One replica."""

    context_tokens: int
    slots: int
    llama: LlamaSettings | None
    gpus: int
    ram_bytes: int | None
    vram_bytes: int | None
    cores: int | None
    cautions: tuple[str, ...] = ()


def _from_file(recorded: Recorded, options: ServingOptions) -> _Sized:
    pick = recorded.file.recommendation
    place = pick.placement
    had = max(1, place.parallel)
    slots = options.slots or had
    devices = [(d.weights_bytes + d.compute_bytes + d.output_bytes, d.kv_cache_bytes) for d in pick.footprint.devices]
    needs = [fixed + cache * slots // had for fixed, cache in devices]
    cautions = []
    if slots != had:
        cautions.append(
            f"{counted(slots, 'slot')} in place of the {had} that were recommended: {format_bytes(sum(needs))} of "
            "memory in all, which nobody held against the machine"
        )
    return _Sized(
        context_tokens=place.context_tokens // had,
        slots=slots,
        llama=_settings(
            place,
            pick.footprint.devices[0].kv_cache_bytes if pick.footprint.devices else 0,
            len(recorded.file.machine.gpus),
        ),
        gpus=sum(1 for n in place.gpu_layers if n),
        ram_bytes=needs[0] if needs else None,
        vram_bytes=sum(needs[1:]),
        cores=max(1, place.threads),
        cautions=tuple(cautions),
    )


def _from_plan(plan: ServingPlan, options: ServingOptions) -> _Sized:
    replica = plan.replica
    planned = replica.limits.slots
    slots = options.slots or planned
    cautions = list(replica.notes)
    if slots != planned:
        instead = f"{counted(slots, 'slot')} in place of the {planned}"
        cautions.append(f"{instead} that the plan is for; its replicas may be too few")
    if replica.fit is None:
        vram = replica.weights_bytes + replica.cache_bytes
        ram, cores = _share(plan)
        return _Sized(replica.context_tokens, slots, None, replica.gpus, ram, vram, cores, tuple(cautions))
    devices, had = replica.fit.footprint.devices, replica.fit.placement.parallel
    needs = [_with_slots(device, slots, had) for device in devices]
    return _Sized(
        context_tokens=replica.context_tokens,
        slots=slots,
        llama=_settings(replica.fit.placement, devices[0].kv_cache_bytes, plan.gpus_per_machine),
        gpus=replica.gpus,
        ram_bytes=needs[0],
        vram_bytes=sum(needs[1:]),
        cores=max(1, replica.fit.placement.threads),
        cautions=tuple(cautions),
    )


def _share(plan: ServingPlan) -> tuple[int | None, int | None]:
    """Bytes of system memory and cores beside the GPUs of one machine that a replica uses, less what the system and
    other pods take; None where the node does not say."""
    node = plan.node
    if node is None:
        return None, None
    used = plan.replica.tensor_parallel / node.count
    ram = None if node.memory_bytes is None else int(_LEFT_FOR_PODS * node.memory_bytes * used)
    cores = None if node.cores is None else max(1, int(_LEFT_FOR_PODS * node.cores * used))
    return ram, cores


def _with_slots(device: DeviceFootprint, slots: int, had: int) -> int:
    return device.total_bytes - device.kv_cache_bytes + device.kv_cache_bytes * slots // had


def _settings(place: PlacementTable | Placement, ram_cache_bytes: int, n_gpus: int) -> LlamaSettings:
    """The cache of a layer lies where the layer is computed, so that a cache in system memory tells of layers there.

    Of the machine's `n_gpus`, those for which no layers are told are left alone.
    """
    return LlamaSettings(
        kv_type=place.kv_type,
        flash_attention=place.flash_attention,
        batch=place.batch,
        ubatch=place.ubatch,
        threads=max(1, place.threads),
        n_gpu_layers=place.n_gpu_layers,
        gpu_layers=(*place.gpu_layers, *[0] * (n_gpus - len(place.gpu_layers))),
        experts_in_ram=place.experts_in_ram,
        layers_in_ram=ram_cache_bytes > 0,
    )


def _vllm(plan: ServingPlan | None, facts: VllmFacts | None) -> VllmSettings:
    if plan is None or facts is None:
        raise InputError("vLLM needs a plan")  # the facade makes one
    replica = plan.replica
    return VllmSettings(
        tensor_parallel=replica.tensor_parallel,
        pipeline_parallel=replica.pipeline_parallel,
        memory_share=facts.memory_share,
        batched_tokens=facts.batched_tokens,
        fp8=replica.quantization == "FP8",
        gpu_name=None if plan.node is None else plan.node.gpu.name,
    )


def _replicas(
    recorded: Recorded, options: ServingOptions, sized: _Sized, plan: ServingPlan | None, *, scales: bool
) -> Replicas:
    if plan is not None:
        needed: int | None = plan.needed
        carry = "carries" if plan.needed == 1 else "carry"
        count, why = plan.size.replicas, f"the plan: {plan.needed:,} {carry} the peak, and one may be lost"
    else:
        needed = _recorded_need(recorded, sized)
        count, why = needed or 1, "by the recommendation"
    if not scales:
        count, why = 1, "this target runs one copy"
    elif options.replicas is not None:
        count, why = options.replicas, "as given"
    carried = recorded.file.recommendation.carried
    here = plan.lost_with_a_machine if plan is not None else 1 if carried is None else carried.copies
    return Replicas(count, needed, why, plan is None, here)


def _recorded_need(recorded: Recorded, sized: _Sized) -> int | None:
    """Replicas as they were recorded; more where each has fewer slots than was counted."""
    load = recorded.file.plan
    if load.replicas is None:
        return None
    counted = load.slots_per_replica or 1
    return math.ceil(load.replicas * max(1.0, counted / max(1, sized.slots)))
