"""One way to run a model on one replica, with everything that a plan or an export must say about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.step import StepCosts
from advisor.domain.fit import Fit
from advisor.errors import InputError, nearest

EngineName = Literal["llama.cpp", "vllm"]
ENGINES: tuple[EngineName, ...] = ("llama.cpp", "vllm")


def engine_named(name: str) -> EngineName:
    """The engine of that name, in whatever case. Raises InputError for another, with the nearest."""
    found = next((engine for engine in ENGINES if engine == name.lower()), None)
    if found is None:
        hint = nearest(name.lower(), ENGINES) or f"Engines: {', '.join(ENGINES)}."
        raise InputError(f"unknown engine {name!r}", hint=hint)
    return found


ENGINE_NAMES: dict[EngineName, str] = {"llama.cpp": "llama.cpp", "vllm": "vLLM"}
"""As their makers write them."""
SlotsBy = Literal["memory", "engine", "load"]


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of the model on the devices that serve it."""

    engine: EngineName
    place: str
    """Name of the node, or of the machine at hand."""
    quantization: str
    """llama.cpp's file type, or BF16 or FP8 for the original weights."""
    tensor_parallel: int
    pipeline_parallel: int
    """Nodes that share the layers; 1 unless one node is too small."""
    context_tokens: int
    """Tokens that one request may hold."""
    costs: StepCosts
    limits: Limits
    slots_by: SlotsBy
    """What keeps the slots from being more."""
    weights_bytes: int
    cache_bytes: int
    read_s: float
    """Seconds to read the weights of one token once at the published bandwidth: no engine answers faster."""
    fit: Fit | None = None
    """llama.cpp's placement."""
    notes: tuple[str, ...] = ()

    @property
    def gpus(self) -> int:
        """GPUs of one replica; 0 on a processor."""
        if self.fit is not None:
            return sum(1 for n in self.fit.placement.gpu_layers if n)
        return self.tensor_parallel * self.pipeline_parallel


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an engine cannot run the model somewhere."""

    engine: EngineName
    place: str | None
    """None where it holds everywhere."""
    code: str
    text: str
    floor_s: float | None = None
    """Where a target is below what one request alone takes: that time."""


def refusals_text(refusals: Iterable[Refusal]) -> str:
    """Why engines cannot run the model, in one line; what several places have in common once."""
    return "; ".join(dict.fromkeys(f"{r.engine}{f' on {r.place}' if r.place else ''}: {r.text}" for r in refusals))


def refusal_lines(refusals: Iterable[Refusal]) -> list[str]:
    """The same, a line each."""
    return [f"{r.engine} on {r.place or 'any machine'}: {r.text}" for r in refusals]
