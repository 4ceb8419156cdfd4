"""The size of a model or a file, put together: header, catalogue, machine and, where asked, the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import paths
from advisor.domain.blueprint import Blueprint, MetadataValue
from advisor.domain.file_differences import FileFacts, differences
from advisor.domain.hardware import Machine
from advisor.domain.header import max_context_of, quantization_of, shape_of, weights_of
from advisor.domain.ladder import Memories
from advisor.domain.model import Model
from advisor.domain.placement import Placement, cpu_placement
from advisor.domain.quantization import Quantization
from advisor.domain.repack import instruction_sets_of
from advisor.domain.sizing import DEFAULT_CONTEXT, SizeRequest, Sizing, Subject, size_subject
from advisor.domain.vision import projector_bytes
from advisor.domain.weights import blueprint, refusal, weights
from advisor.errors import InputError
from advisor.gguf.header import ArraySummary, GgufHeader
from advisor.gguf.remote import is_url
from advisor.gguf.split import read_model, read_remote_model
from advisor.units import format_bytes

if TYPE_CHECKING:
    from advisor.engine.messages import MemoryFigures

Source = Callable[[], Blueprint | Path]
"""What a dry run is made of: a file that is here, or a blueprint."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a size depends on beside its subject."""

    machine: Machine
    memories: Memories
    request: SizeRequest
    use_engine: bool


def size_catalogued(model: Model, quantization: str, offered: Iterable[Quantization], given: Circumstances) -> Sizing:
    """A model of the catalogue. Raises InputError where it has no shape or cannot be had in the file type."""
    if model.shape is None:
        raise InputError(f"{model.id} cannot be sized", why=model.shape_reason)
    why = refusal(model.shape, quantization)
    if why is not None:
        raise InputError(f"{model.id} cannot be sized in {quantization}", why=why)
    held = weights(model.shape, quantization)
    others = [(q.name, partial(weights, model.shape, q.name)) for q in offered]
    others.sort(key=lambda pair: -pair[1]().total_bytes)
    subject = Subject(model.id, quantization, model.shape, held, model.max_context_tokens, tuple(others))
    sizing = size_subject(subject, given.request, given.memories, instruction_sets=_sets(given.machine))
    vision = projector_bytes(model)
    if vision:
        note = f"images need a projector beside the model: about {format_bytes(vision)} in F16"
        sizing = replace(sizing, notes=(*sizing.notes, note))
    if not given.use_engine:
        return sizing
    return _by_engine(sizing, given, f"{model.id} {quantization}", lambda: blueprint(model, quantization))


def size_file(target: str, models: Iterable[Model], given: Circumstances) -> Sizing:
    """A local file, a split file or a remote one, by its header, next to the catalogue.

    Raises InputError for what is no model, NetworkError where a server does not answer.
    """
    header = read_remote_model(target) if is_url(target) else read_model(Path(target))
    name = target.rpartition("/")[2].partition("?")[0] if is_url(target) else Path(target).name
    try:
        subject = _subject(name, header)
    except InputError:
        if not given.use_engine or is_url(target):
            raise
        return _by_engine_alone(Path(target), header, given)
    sizing = size_subject(subject, given.request, given.memories, instruction_sets=_sets(given.machine))
    facts = FileFacts(
        subject.shape, subject.weights, subject.quantization, subject.max_context_tokens, _names(name, header)
    )
    sizing = replace(sizing, differences=differences(facts, models))
    if not given.use_engine:
        return sizing
    if is_url(target):
        return _by_engine(sizing, given, f"{target} {header.file_bytes}", lambda: _blueprint(header))
    return _by_engine(sizing, given, _mark(Path(target)), lambda: Path(target))


def _subject(name: str, header: GgufHeader) -> Subject:
    shape = shape_of(header.metadata, header.tensors)
    quantization = quantization_of(header.metadata)
    return Subject(name, quantization, shape, weights_of(header.tensors), max_context_of(header.metadata))


def _names(name: str, header: GgufHeader) -> tuple[str, ...]:
    keys = ("general.name", "general.basename", "general.base_model.0.name", "general.size_label")
    return (name, *[value for key in keys if isinstance(value := header.metadata.get(key), str)])


def _sets(machine: Machine) -> tuple[str, ...]:
    """Instruction sets that llama.cpp was compiled for, else those of the processor."""
    info = machine.engine.system_info.value
    return instruction_sets_of(info) if info is not None else machine.cpu.instruction_sets.value or ()


def _mark(path: Path) -> str:
    """What tells a file apart from what it was before."""
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror or str(error)) from error
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _blueprint(header: GgufHeader) -> Blueprint:
    """The header as a file without vocabulary."""
    architecture = header.architecture or ""
    kept: dict[str, MetadataValue] = {"general.architecture": architecture, "tokenizer.ggml.model": "no_vocab"}
    for key, value in header.metadata.items():
        if key.startswith(f"{architecture}.") and not isinstance(value, ArraySummary):
            kept[key] = value
    embedding = next((t for t in header.tensors if t.name == "token_embd.weight"), None)
    if embedding is not None:
        kept[f"{architecture}.vocab_size"] = embedding.shape[1]
    return Blueprint(kept, header.tensors)


def _by_engine(sizing: Sizing, given: Circumstances, subject: str, source: Source) -> Sizing:
    """The sizing with llama.cpp's own figures, and where they differ from the computed ones."""
    from advisor.engine.figures import disagreements, engine_footprint

    names = given.request.names
    if sizing.placement.n_gpu_layers and (given.machine.simulated or not given.machine.engine.gpu_offload.value):
        raise InputError(
            f"{names('engine')}: llama.cpp here has no GPU to ask",
            hint=f"Leave out {names.given('engine', True)}, or size it on the processor with "
            f"{names.given('gpu_layers', 0)}.",
        )
    if given.request.split_mode == "none" and len(given.machine.gpus) > 1:
        raise InputError(
            f"{names('engine')}: llama.cpp would use every GPU that it sees",
            hint="Hide the others, for example with CUDA_VISIBLE_DEVICES=0.",
        )
    figures = _asked(sizing.placement, given, subject, source)
    found = engine_footprint(sizing.footprint, figures)
    return replace(sizing, footprint=found, notes=(*sizing.notes, *disagreements(sizing.footprint, found)))


def _by_engine_alone(path: Path, header: GgufHeader, given: Circumstances) -> Sizing:
    """A file of an architecture that only llama.cpp knows."""
    from advisor.engine.figures import ram_footprint

    request = given.request
    most = max_context_of(header.metadata)
    tokens = request.context_tokens or min(most or DEFAULT_CONTEXT, DEFAULT_CONTEXT) * request.parallel
    placement = cpu_placement(tokens, parallel=request.parallel)
    figures = _asked(placement, given, _mark(path), lambda: path)
    layers = header.metadata.get(f"{header.architecture}.block_count")
    return Sizing(
        name=path.name,
        quantization=quantization_of(header.metadata),
        placement=placement,
        footprint=ram_footprint(figures),
        n_layers=layers if isinstance(layers, int) else 0,
        notes=(f"architecture {header.architecture!r} is known to llama.cpp alone",),
    )


def _asked(placement: Placement, given: Circumstances, subject: str, source: Source) -> MemoryFigures:
    """The figures of a dry run, remembered or made now."""
    from advisor.engine.client import EngineClient
    from advisor.engine.dry_run_cache import DryRunCache, key_of
    from advisor.engine.messages import DryRunParams
    from advisor.engine.operations import dry_run, size_blueprint
    from advisor.engine.placement import context_params

    context = context_params(placement)
    remembered = DryRunCache(paths.cache_dir() / "dry-runs.json", given.machine.engine.version.value)
    key = key_of(subject, context)
    figures = remembered.get(key)
    if figures is None:
        with EngineClient(threads=1) as client:
            what = source()
            if isinstance(what, Path):
                figures = dry_run(client, DryRunParams(str(what), context)).memory
            else:
                figures = size_blueprint(client, what, context).memory
        remembered.put(key, figures)
    return figures
