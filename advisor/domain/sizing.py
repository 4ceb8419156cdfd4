"""The size of one model in one placement, as a person asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from advisor.domain.argument_names import OWN_NAMES, ArgumentNames
from advisor.domain.fit import ways_to_run
from advisor.domain.footprint import Footprint, footprint
from advisor.domain.ladder import Ladder, Memories, ladder
from advisor.domain.model import Shape
from advisor.domain.placement import KV_TYPES, KvType, Placement, cpu_placement, with_gpu_layers
from advisor.domain.repack import repacked_bytes
from advisor.domain.weights import Weights
from advisor.errors import InputError, nearest
from advisor.units import counted

DEFAULT_CONTEXT = 8192


@dataclass(frozen=True, slots=True)
class SizeRequest:
    """The options of `size`. None stands for llama.cpp's default or, for layers, for all that fit."""

    context_tokens: int | None = None
    """Of all parallel requests together; None takes 8,192 or the model's most, whichever is less."""
    parallel: int = 1
    kv_type: str = "f16"
    """Of keys and values, or of each: `q8_0/f16`."""
    gpu_layers: int | None = 0
    """As llama.cpp's `--n-gpu-layers` counts them: the first is the output, the others are the model's last layers."""
    ubatch: int | None = None
    flash_attention: bool = True
    experts_in_ram: bool = False
    cache_on_gpu: bool = True
    outputs: int | None = None
    split_mode: str = "layer"
    """`layer` shares whole layers out over all GPUs, `none` uses the first alone."""
    names: ArgumentNames = OWN_NAMES
    """How errors call the fields above, and `gpu`."""


SPLIT_MODES = ("layer", "none")
_NOT_SIZED = {
    "row": "llama.cpp has no row split on CUDA any more (`ggml_backend_split_buffer_type` is gone from ggml-cuda)",
    "tensor": "what its devices hold for computing is known to builds with several GPUs alone",
}
"""Split modes of llama.cpp (`enum llama_split_mode`) that have no size here, with the reason. As vendored by
llama-cpp-python 0.3.36."""


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
    ladder: Ladder | None = None
    repacked_bytes: int = 0
    """Weights that the processor rearranges into a copy of their own; the file's pages of them can be evicted."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be sized: a model in a file type, or a file."""

    name: str
    quantization: str
    shape: Shape
    weights: Weights
    max_context_tokens: int | None
    others: Sequence[tuple[str, Callable[[], Weights]]] = ()
    """Other file types of the model, the best first."""


def size_subject(
    subject: Subject, request: SizeRequest, memories: Memories, *, instruction_sets: tuple[str, ...] = ()
) -> Sizing:
    """The footprint as asked for, and the ladder around it. Raises InputError as `requested_placement` does."""
    shape, held = subject.shape, subject.weights
    memories = _split(memories, request)
    budgets = tuple([pool.budget_bytes for pool in memories.pools[1:]])
    asked = requested_placement(request, shape, subject.max_context_tokens, budgets)
    placement = asked
    if request.gpu_layers is None and budgets:
        placement = _best(shape, held, asked, memories, experts_in_ram=request.experts_in_ram)
    rungs = ladder(
        shape,
        held,
        replace(asked, gpu_layers=(0,) * len(budgets), output_on_gpu=False),
        memories,
        most_context_tokens=subject.max_context_tokens,
        quantizations=subject.others,
    )
    sizing = size_model(subject.name, shape, held, subject.quantization, placement, len(budgets))
    repacked = 0 if budgets else repacked_bytes(held, instruction_sets)
    return replace(sizing, ladder=rungs, repacked_bytes=repacked)


def _split(memories: Memories, request: SizeRequest) -> Memories:
    """The memories that a split mode uses. Raises InputError for one that has no size."""
    mode = request.split_mode
    if mode not in SPLIT_MODES:
        hint = f"Write one of {', '.join(SPLIT_MODES)}."
        raise InputError(
            f"{request.names('split_mode')}: {mode!r} cannot be sized", why=_NOT_SIZED.get(mode), hint=hint
        )
    return replace(memories, pools=memories.pools[:2]) if mode == "none" else memories


def _best(shape: Shape, held: Weights, asked: Placement, memories: Memories, *, experts_in_ram: bool) -> Placement:
    """The way that fits with most layers on GPUs; the whole model on them where none fits, to show what is missing."""
    whole = with_gpu_layers(asked, shape.n_layers, tuple([pool.budget_bytes for pool in memories.pools[1:]]))
    if experts_in_ram:
        return replace(whole, experts_in_ram=True)
    ways = ways_to_run(shape, held, asked, memories.pools, allow_cpu=memories.allow_cpu)
    return ways[0].placement if ways else whole


def requested_placement(
    request: SizeRequest, shape: Shape, max_context_tokens: int | None, gpu_budgets: tuple[int, ...]
) -> Placement:
    """Check a request against the model. Raises InputError naming the argument and what would be valid."""
    most = max_context_tokens
    asked = request.context_tokens
    if asked is None:
        asked = min(DEFAULT_CONTEXT, most or DEFAULT_CONTEXT) * request.parallel
    _check_context(asked, request, most)
    layers = request.gpu_layers or 0
    _check_layers(layers, request.names, shape, gpu_budgets)
    keys, values = _kv_types(request, shape)
    base = replace(
        cpu_placement(asked, parallel=request.parallel, n_gpus=len(gpu_budgets)),
        kv_type=keys,
        value_type=None if values == keys else values,
        flash_attention=request.flash_attention,
        cache_on_gpu=request.cache_on_gpu,
        outputs=request.outputs,
    )
    base = _with_batch(base, request)
    if request.experts_in_ram and shape.experts is None:
        raise InputError(f"{request.names('experts_in_ram')}: this model has no experts", hint="Leave it out.")
    if not layers:
        return base
    placed = with_gpu_layers(base, layers - 1, gpu_budgets)
    return replace(placed, output_on_gpu=True, experts_in_ram=request.experts_in_ram)


def _with_batch(base: Placement, request: SizeRequest) -> Placement:
    if request.outputs is not None and request.outputs < 1:
        raise _out_of_range(request.names, "outputs", request.outputs, "Write 1 or more.")
    if request.ubatch is None:
        return base
    if request.ubatch < 1:
        raise _out_of_range(request.names, "ubatch", request.ubatch, "Write 1 or more, for example 512.")
    return replace(base, ubatch=request.ubatch, batch=max(base.batch, request.ubatch))


def _out_of_range(names: ArgumentNames, name: str, value: int, hint: str) -> InputError:
    return InputError(f"{names(name)}: {value} is out of range", hint=hint)


def _check_context(asked: int, request: SizeRequest, most: int | None) -> None:
    parallel, names = request.parallel, request.names
    context = names("context_tokens")
    if parallel < 1:
        raise _out_of_range(names, "parallel", parallel, "Write 1 or more.")
    if asked < 1:
        raise _out_of_range(names, "context_tokens", asked, f"Write 1 to {(most or DEFAULT_CONTEXT) * parallel}.")
    if asked < parallel:
        tokens = counted(asked, "token")
        raise InputError(f"{context}: {tokens} cannot be shared by {parallel} requests", hint="Ask for more tokens.")
    if most is not None and asked // parallel > most:
        raise InputError(
            f"{context}: {asked // parallel:,} tokens per request exceed this model's {most:,}",
            hint=f"Write {names.given('context_tokens', most * parallel)} or less.",
        )


def _check_layers(asked: int, names: ArgumentNames, shape: Shape, gpu_budgets: tuple[int, ...]) -> None:
    most = shape.n_layers + 1
    if not 0 <= asked <= most:
        raise InputError(
            f"{names('gpu_layers')}: {asked} is out of range",
            why=f"this model has {shape.n_layers} layers and an output layer, so 0 to {most} can be offloaded",
        )
    if asked and not gpu_budgets:
        raise InputError(
            f"{names('gpu_layers')}: there is no GPU that llama.cpp can use here",
            hint=f"Name one with {names.given('gpu', 'RTX 4090')}.",
        )


def _kv_types(request: SizeRequest, shape: Shape) -> tuple[KvType, KvType]:
    keys, _, values = request.kv_type.partition("/")
    names = request.names
    name = names("kv_type")
    found = _kv_type(keys, name), _kv_type(values or keys, name)
    if shape.latent is not None and found[0] != found[1]:
        raise InputError(
            f"{name}: {request.kv_type} cannot be had with this model",
            why="its latent attention keeps keys and values in one vector",
            hint=f"Write {names.given('kv_type', found[0])}.",
        )
    if found[1] != "f16" and not request.flash_attention:
        off, keys_alone = names.given("flash_attention", False), names.given("kv_type", f"{found[0]}/f16")
        raise InputError(
            f"{name}: values in {found[1]} need flash attention",
            why="llama.cpp refuses a quantized value cache without it",
            hint=f"Leave out {off}, or write {keys_alone}.",
        )
    return found


def _kv_type(asked: str, name: str) -> KvType:
    for known in KV_TYPES:
        if asked.lower() == known:
            return known
    hint = nearest(asked.lower(), KV_TYPES) or f"Write one of {', '.join(KV_TYPES)}."
    raise InputError(f"{name}: unknown type {asked!r}", hint=hint)


def size_model(name: str, shape: Shape, held: Weights, quantization: str, placement: Placement, gpus: int) -> Sizing:
    """The footprint of a model or file in a placement."""
    names = tuple(f"GPU{i}" for i in range(gpus))
    return Sizing(name, quantization, placement, footprint(shape, held, placement, names), shape.n_layers)
