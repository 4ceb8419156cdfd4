"""The domain's formulas taken apart: what each constant is multiplied with, for one published rate.

The time is linear in the constants, so the factor of one is the time with that one at 1 and the others at 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from advisor.domain.speed.constants import CpuConstants, GpuConstants, SpeedConstants, TypeClass
from advisor.domain.speed.estimate import decode_seconds, prefill_seconds
from benchmarks.least_squares import Prior, Term
from benchmarks.speed_rows import Row

CLASSES: tuple[TypeClass, ...] = get_args(TypeClass)
_NOTHING = GpuConstants(
    read=0.0,
    kv_read=0.0,
    stall_s_per_byte=0.0,
    stall_hbm_s_per_byte=0.0,
    decode_ops=dict.fromkeys(CLASSES, 0.0),
    layer_s=0.0,
    hop_s=0.0,
    prefill=dict.fromkeys(CLASSES, 0.0),
    prefill_experts=1.0,
    prefill_read=0.0,
    attention=0.0,
    prefill_layer_s=0.0,
    decode_spread=0.0,
)
_NO_CPU = CpuConstants(1.0, 1.0, {"Q4_K": 1e30, "F16": 1e30}, {"Q4_K": 1e30}, 1e30, 0.0, 1e30, 0.0)
UNKNOWN_FLOPS_PER_BYTE = 100.0
"""Between GPUs in the hardware tables, the half-precision peak is around 100 operations per byte of bandwidth."""


def constants_for(own: GpuConstants, backend: str, pipelining: float) -> SpeedConstants:
    """Constants of one back end alone."""
    return SpeedConstants(
        {backend: own, "vulkan": own}, {"unknown": _NO_CPU}, UNKNOWN_FLOPS_PER_BYTE, pipelining, 1e30, 1 << 30
    )


def decode_terms(row: Row) -> list[Term]:
    """Terms of a decode row, with the parameters that they are multiplied with."""

    def size(own: GpuConstants) -> float:
        constants = constants_for(own, row.backend, 0.0)
        return decode_seconds(row.parts, row.works, row.shape, constants, []) or 0.0

    at, old = row.backend, row.era == "old"
    read, kv = size(replace(_NOTHING, read=1.0)), size(replace(_NOTHING, kv_read=1.0))
    layers = size(replace(_NOTHING, layer_s=1.0))
    terms = [
        # No card reads faster than its peak, so only the loss is a parameter.
        Term(read),
        Term(read, ("read loss", f"read loss {at}")),
        Term(kv),
        Term(kv, ("kv loss", f"kv loss {at}")),
        Term(layers, ("layer", f"layer {at}", *(("layer old",) if old else ()))),
    ]
    if not row.flash_attention:
        terms.append(Term(kv, ("kv loss without flash", f"kv loss without flash {at}")))
    if row.n_gpus > 1:
        terms.append(Term(size(replace(_NOTHING, hop_s=1.0)), ("hop",)))
    if at == "cuda":
        hbm = row.spec is not None and row.spec.stacked_memory
        stall = size(replace(_NOTHING, stall_s_per_byte=1.0, stall_hbm_s_per_byte=1.0))
        terms.append(Term(stall, ("stall hbm",) if hbm else ("stall", *(("stall old",) if old else ()))))
        return terms
    for name in CLASSES:
        ops = size(replace(_NOTHING, decode_ops={**_NOTHING.decode_ops, name: 1.0}))
        era = ("ops old", f"ops old {at}") if old else ()
        terms += [Term(ops, ("ops", f"ops {at}", f"ops {at} {name}", *era))] if ops else []
    return terms


def prefill_terms(row: Row, pipelining: float) -> list[Term]:
    """Terms of a prompt row."""

    def size(own: GpuConstants) -> float:
        constants = constants_for(own, row.backend, pipelining)
        return prefill_seconds(row.parts, row.works, row.shape, constants, row.prompt, []) or 0.0

    at = row.backend
    attention = size(replace(_NOTHING, attention=1.0))
    terms = [
        Term(size(replace(_NOTHING, prefill_read=1.0)), ("prompt read", f"prompt read {at}")),
        Term(attention, ("attention", f"attention {at}")),
        Term(size(replace(_NOTHING, prefill_layer_s=1.0)), ("prompt layer", f"prompt layer {at}")),
    ]
    if not row.flash_attention:
        terms.append(Term(attention, ("attention without flash", f"attention without flash {at}")))
    for name in CLASSES:
        ops = size(replace(_NOTHING, prefill={**_NOTHING.prefill, name: 1.0}))
        kind = "float" if name == "float" else "blocks"
        era = (f"prompt {kind} old",) if row.era == "old" else ()
        experts = ("prompt experts", *(("prompt experts old",) if era else ())) if row.shape.experts else ()
        common = ("prompt", f"prompt {at}", f"prompt {kind}", f"prompt {at} {kind}")
        if ops:
            terms += [Term(peak_share(at, kind) * ops), Term(ops, (*common, *era, *experts))]
    return [Term(term.size / row.n_tokens, term.parameters) for term in terms]


def peak_share(backend: str, kind: str) -> float:
    """What multiplications cost at the peak: half, where integer units run at twice the rate they are counted at."""
    return 0.5 if backend == "cuda" and kind == "blocks" else 1.0


_SHARED = {
    "read loss": Prior(0.15, 0.02),
    "kv loss": Prior(0.4, 0.02),
    "kv loss without flash": Prior(0.5, 0.02),
    "layer": Prior(4e-5, 0.02),
    "layer old": Prior(1.5, 0.02),
    "hop": Prior(4e-4, 0.002),
    "stall": Prior(0.05e-12, 0.005),
    "stall old": Prior(3.0, 0.005),
    "stall hbm": Prior(0.5e-12, 0.005),
    "ops": Prior(4.0, 0.01),
    "ops old": Prior(3.0, 0.01),
    "prompt": Prior(1.0, 0.005),
    "prompt experts": Prior(2.0, 0.005),
    "prompt experts old": Prior(2.0, 0.005),
    "prompt read": Prior(1.3, 0.2),
    "prompt layer": Prior(1e-4, 0.02),
    "attention": Prior(4.0, 0.01),
    "attention without flash": Prior(6.0, 0.01),
}


def prior(name: str) -> Prior:
    """Of a shared parameter as listed; a back end or a class deviates from what is shared by a factor around 1."""
    if name.startswith("prompt read "):
        return Prior(1.0, 0.2)
    return _SHARED.get(name, Prior(1.0, 0.005))
