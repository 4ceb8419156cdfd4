"""Fine-tuning: what LoRA and QLoRA need, whether that fits here, and the smallest GPU that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from advisor.domain.basis import Basis
from advisor.domain.fine_tuning import (
    ALL_LINEAR,
    ATTENTION,
    Method,
    Recipe,
    TrainingMemory,
    adapter_parameters,
    full_fine_tuning_bytes,
    lean,
    peft,
    training_memory,
    unsupported,
)
from advisor.domain.hardware import Gpu, GpuSpec, Machine
from advisor.domain.head_to_head.edges import lowest
from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import Figure, Line, Section, known, unknown
from advisor.domain.model import Model
from advisor.domain.pools import Figures
from advisor.units import format_bytes, format_count

TOKENS = 2048
"""Length of a training example that the figures are for."""
BASIS = "formulas that benchmarks/fine_tuning.md holds against published peaks"
NOTES = (
    f"Rank 16, one example of {TOKENS:,} tokens at a time, AdamW, gradient checkpointing, a fused attention kernel; "
    "adapters on all linear layers, with experts on those of the attention alone.",
    "PEFT: as its documentation shows it, adapters in FP32 and, with QLoRA, embeddings and output head too. "
    "Lean: trainers that keep those in bf16 and take the loss in chunks, such as Unsloth, torchtune or Liger kernels.",
    "One GPU alone; sharding over several is not judged. Published peaks were found for dense models of 1 to 14 "
    "billion parameters; beyond them the figures are extrapolated.",
)

_RECIPES: tuple[tuple[str, str, Method, bool], ...] = (
    ("QLoRA", "lean", "qlora", True),
    ("QLoRA", "PEFT", "qlora", False),
    ("LoRA", "lean", "lora", True),
    ("LoRA", "PEFT", "lora", False),
)
"""Method and trainer, in words and as `memory_of` takes them."""


def tuning_section(
    subjects: tuple[Subject, ...], machine: Machine, figures: Figures, gpus: Sequence[GpuSpec]
) -> Section:
    """Memory by recipe, then where that fits."""
    lines = [
        _memory_line(
            f"{method}_{trainer.lower()}",
            f"{name}, {trainer}",
            [(s.model, memory_of(s.model, method, lean_trainer=is_lean)) for s in subjects],
        )
        for name, trainer, method, is_lean in _RECIPES
    ]
    lines += [
        Line("logits", "of it, logits and loss", tuple(_logits_figure(s) for s in subjects), remark="QLoRA, PEFT",
             unit="bytes"),
        Line("adapters", "adapters", tuple(_adapters_figure(s.model) for s in subjects), unit="parameters"),
        Line("full", "full fine-tuning", tuple(_full_figure(s.model) for s in subjects), unit="bytes"),
        Line("fits_here", "on this machine", tuple(_here_figure(s.model, machine, figures) for s in subjects)),
        Line("smallest_gpu", "smallest single GPU", tuple(_smallest_figure(s.model, gpus) for s in subjects)),
    ]  # fmt: skip
    return Section("tuning", "Fine-tuning", tuple(lines), NOTES)


_Found = tuple[Model, TrainingMemory | None]


def memory_of(model: Model, method: Method, *, lean_trainer: bool) -> TrainingMemory | None:
    """Peak memory by one of the two recipes; None where nothing is known."""
    if model.shape is None or unsupported(model.shape) is not None:
        return None
    make = lean if lean_trainer else peft
    return training_memory(model.shape, _with_projections(make(method, _tokens(model)), model))


def _tokens(model: Model) -> int:
    return min(TOKENS, model.max_context_tokens or TOKENS)


def _with_projections(recipe: Recipe, model: Model) -> Recipe:
    experts = model.shape is not None and model.shape.experts is not None
    return replace(recipe, projections=ATTENTION if experts else ALL_LINEAR)


def _reason(model: Model) -> str:
    return (model.shape_reason if model.shape is None else unsupported(model.shape)) or "its shape is unknown"


def _memory_line(line_id: str, title: str, found: list[_Found]) -> Line:
    values = [None if memory is None else memory.process_bytes for _, memory in found]
    edge = lowest(values, lambda gap: f"{format_bytes(int(gap))} less")
    return Line(line_id, title, tuple(_memory_figure(*pair) for pair in found), edge, unit="bytes")


def _memory_figure(model: Model, memory: TrainingMemory | None) -> Figure:
    if memory is None:
        return unknown(_reason(model))
    low, high = memory.bounds_bytes
    text = f"{format_bytes(memory.process_bytes)} ({format_bytes(low)} to {format_bytes(high)})"
    return known(text, memory.process_bytes, Basis.ESTIMATED, BASIS)


def _logits_figure(subject: Subject) -> Figure:
    memory, shape = memory_of(subject.model, "qlora", lean_trainer=False), subject.model.shape
    if memory is None or shape is None:
        return unknown(_reason(subject.model))
    text = f"{format_bytes(memory.logits_bytes)} for a vocabulary of {shape.vocab_size:,}"
    return known(text, memory.logits_bytes, Basis.ESTIMATED, BASIS)


def _adapters_figure(model: Model) -> Figure:
    if model.shape is None or unsupported(model.shape) is not None:
        return unknown(_reason(model))
    recipe = _with_projections(peft("qlora", _tokens(model)), model)
    n = adapter_parameters(model.shape, recipe)
    return known(f"{format_count(n)} trainable parameters", n, Basis.ESTIMATED, BASIS)


def _full_figure(model: Model) -> Figure:
    parameters = model.text_params or model.total_params
    if parameters is None:
        return unknown("nobody sourced its parameters")
    n_bytes = full_fine_tuning_bytes(parameters)
    return known(f"{format_bytes(n_bytes)} before activations: 16 bytes a parameter", n_bytes, Basis.ESTIMATED, BASIS)


def _here_figure(model: Model, machine: Machine, figures: Figures) -> Figure:
    if unsupported(model.shape) is not None:
        return unknown(_reason(model))
    if not machine.gpus:
        return known("no GPU here, and training needs one", False)
    words = [_device_words(model, gpu, spec) for gpu, spec in zip(machine.gpus, figures.gpus, strict=True)]
    return known("; ".join(dict.fromkeys(words)), any(" fits: " in w for w in words), Basis.ESTIMATED, BASIS)


def _device_words(model: Model, gpu: Gpu, spec: GpuSpec | None) -> str:
    name, total = gpu.name.value or f"GPU {gpu.index}", gpu.total_bytes.value
    if total is None or gpu.unified_memory or (spec is not None and spec.backend != "cuda"):
        return f"{name}: not judged, all measurements are of NVIDIA GPUs with memory of their own"
    words: dict[str, list[str]] = {"fits": [], "is borderline": [], "does not fit": []}
    for method_name, trainer, method, is_lean in _RECIPES:
        memory = memory_of(model, method, lean_trainer=is_lean)
        if memory is not None:
            words[fit_word(memory, total)].append(f"{method_name} {trainer}")
    said = [f"{word}: {', '.join(names)}" for word, names in words.items() if names]
    return f"on one {name} of {format_bytes(total)} {'; '.join(said)}"


def fit_word(memory: TrainingMemory, total_bytes: int) -> str:
    """`fits` where the whole interval does, `does not fit` where none of it does."""
    low, high = memory.bounds_bytes
    return "fits" if high <= total_bytes else "does not fit" if low > total_bytes else "is borderline"


def _smallest_figure(model: Model, gpus: Sequence[GpuSpec]) -> Figure:
    memory = memory_of(model, "qlora", lean_trainer=True)
    if memory is None:
        return unknown(_reason(model))
    qlora = _smallest(memory, gpus)
    lora_memory = memory_of(model, "lora", lean_trainer=True)
    lora = _smallest(lora_memory, gpus) if lora_memory else None
    text = f"QLoRA {_gpu_words(qlora)}; LoRA {_gpu_words(lora)}"
    return known(text, qlora.memory_bytes if qlora else None, Basis.ESTIMATED, BASIS)


def _smallest(memory: TrainingMemory, gpus: Sequence[GpuSpec]) -> GpuSpec | None:
    """The smallest NVIDIA GPU that holds the whole interval; the first of the catalogue among equals."""
    cuda = [g for g in gpus if g.backend == "cuda" and not g.unified_memory]
    enough = [g for g in cuda if fit_word(memory, g.memory_bytes) == "fits"]
    return min(enough, key=lambda gpu: gpu.memory_bytes, default=None)


def _gpu_words(gpu: GpuSpec | None) -> str:
    if gpu is None:
        return "on no single GPU of the catalogue"
    return f"on {format_bytes(gpu.memory_bytes)}, for example {gpu.name}"
