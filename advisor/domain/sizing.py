"""The size of one model in one placement, as a person asks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from advisor.domain.footprint import Footprint, footprint
from advisor.domain.model import Shape
from advisor.domain.placement import KV_TYPES, KvType, Placement, cpu_placement, with_gpu_layers
from advisor.domain.weights import Weights
from advisor.errors import InputError, nearest

DEFAULT_CONTEXT = 8192


@dataclass(frozen=True, slots=True)
class SizeRequest:
    """The options of `size`. None stands for llama.cpp's default or, for layers, for all that fit."""

    context_tokens: int | None = None
    """Of all parallel requests together; None takes 8,192 or the model's most, whichever is less."""
    parallel: int = 1
    kv_type: str = "f16"
    gpu_layers: int = 0
    ubatch: int | None = None
    flash_attention: bool = True


@dataclass(frozen=True, slots=True)
class Sizing:
    """A footprint with what it belongs to."""

    name: str
    quantization: str
    placement: Placement
    footprint: Footprint
    n_layers: int
    differences: tuple[str, ...] = ()
    """Where a file differs from the catalogue's entry for it."""


def requested_placement(
    request: SizeRequest, shape: Shape, max_context_tokens: int | None, gpu_budgets: tuple[int, ...]
) -> Placement:
    """Check a request against the model. Raises InputError naming the option and what would be valid."""
    most = max_context_tokens
    asked = request.context_tokens or min(DEFAULT_CONTEXT, most or DEFAULT_CONTEXT) * request.parallel
    _check_context(asked, request.parallel, most)
    _check_layers(request.gpu_layers, shape, gpu_budgets)
    base = replace(
        cpu_placement(asked, parallel=request.parallel, n_gpus=len(gpu_budgets)),
        kv_type=_kv_type(request),
        flash_attention=request.flash_attention,
    )
    if request.ubatch is not None:
        if request.ubatch < 1:
            raise InputError(f"--ubatch: {request.ubatch} is out of range", hint="Write 1 or more, for example 512.")
        base = replace(base, ubatch=request.ubatch, batch=max(base.batch, request.ubatch))
    on_gpu = min(request.gpu_layers, shape.n_layers)
    return with_gpu_layers(base, on_gpu, gpu_budgets) if on_gpu else base


def _check_context(asked: int, parallel: int, most: int | None) -> None:
    if parallel < 1:
        raise InputError(f"--parallel: {parallel} is out of range", hint="Write 1 or more.")
    if asked < parallel:
        raise InputError(f"--ctx: {asked} tokens cannot be shared by {parallel} requests", hint="Ask for more tokens.")
    if most is not None and asked // parallel > most:
        raise InputError(
            f"--ctx: {asked // parallel:,} tokens per request exceed this model's {most:,}",
            hint=f"Write --ctx {most * parallel} or less.",
        )


def _check_layers(asked: int, shape: Shape, gpu_budgets: tuple[int, ...]) -> None:
    most = shape.n_layers + 1
    if not 0 <= asked <= most:
        raise InputError(
            f"--gpu-layers: {asked} is out of range", why=f"this model has {shape.n_layers} layers and an output"
            f" layer, so 0 to {most} can be offloaded",
        )  # fmt: skip
    if asked and not gpu_budgets:
        raise InputError(
            "--gpu-layers: there is no GPU that llama.cpp can use here", hint='Name one with --gpu "RTX 4090".'
        )


def _kv_type(request: SizeRequest) -> KvType:
    for known in KV_TYPES:
        if request.kv_type.lower() == known:
            if known != "f16" and not request.flash_attention:
                raise InputError(
                    f"--kv-type: {known} needs flash attention",
                    why="llama.cpp refuses a quantized value cache without it",
                )
            return known
    hint = nearest(request.kv_type.lower(), KV_TYPES) or f"Write one of {', '.join(KV_TYPES)}."
    raise InputError(f"--kv-type: unknown type {request.kv_type!r}", hint=hint)


def size_model(name: str, shape: Shape, held: Weights, quantization: str, placement: Placement, gpus: int) -> Sizing:
    """The footprint of a model or file in a placement."""
    names = tuple(f"GPU{i}" for i in range(gpus))
    return Sizing(name, quantization, placement, footprint(shape, held, placement, names), shape.n_layers)
