"""Efficiency: what the architecture costs in memory and time, here and at the asked context."""

from __future__ import annotations

from collections.abc import Callable

from advisor.domain.basis import Basis
from advisor.domain.constraints import Constraints
from advisor.domain.head_to_head.architecture import (
    attention_figure,
    blocks_figure,
    cache_bytes_per_token,
    rotary_figure,
    window_figure,
)
from advisor.domain.head_to_head.edges import fastest, highest, lowest
from advisor.domain.head_to_head.subjects import Subject
from advisor.domain.head_to_head.values import Figure, Line, Section, known, unknown
from advisor.domain.speed import Speed
from advisor.domain.weights import weights
from advisor.units import format_bytes, format_milliseconds, format_rate, format_tokens

ENGINE = "Memory and speed are llama.cpp's; other engines differ."
EXPERTS_NOTE = "With experts, memory is paid for all parameters and decoding for those that a token visits."
ROOFLINE = "roofline over published bandwidths, fitted to published rates (knowledge/speed.toml)"
ALIKE = "Q4_K_M"
"""The file type in which sizes are compared besides: the most published one."""
_NO_SHAPE = "llama.cpp cannot run it"

_Of = Callable[[Speed], tuple[str, float]]


def efficiency_section(subjects: tuple[Subject, ...], constraints: Constraints) -> Section:
    """Architecture, then memory, then speed."""
    lines = (*_shape_lines(subjects, constraints), *_memory_lines(subjects), *_speed_lines(subjects))
    experts = any(s.model.shape is not None and s.model.shape.experts for s in subjects)
    notes = (ENGINE, EXPERTS_NOTE) if experts else (ENGINE,)
    return Section("efficiency", "Efficiency", lines, notes)


def _shape_lines(subjects: tuple[Subject, ...], constraints: Constraints) -> tuple[Line, ...]:
    asked = constraints.task.context_tokens
    lengths = [s.model.max_context_tokens for s in subjects]
    return (
        Line("blocks", "feed-forward", tuple(blocks_figure(s.model) for s in subjects)),
        Line("attention", "attention", tuple(attention_figure(s.model) for s in subjects)),
        Line("window", "window", tuple(window_figure(s.model, _context(s, asked)) for s in subjects)),
        Line(
            "context", "longest context", tuple(_context_figure(s) for s in subjects),
            highest(lengths, lambda gap: f"{format_tokens(int(gap))} tokens more"), unit="tokens",
        ),
        Line("rotary", "rotary positions", tuple(rotary_figure(s.model) for s in subjects)),
        Line(
            "cache_per_token", "KV cache per token", tuple(_cache_figure(s) for s in subjects),
            lowest([_per_token(s) for s in subjects], lambda gap: f"{format_bytes(int(gap))} less per token"),
            "f16, in layers that attend to everything", "bytes",
        ),
    )  # fmt: skip


def _context(subject: Subject, asked: int) -> int:
    return min(asked, subject.model.max_context_tokens or asked)


def _context_figure(subject: Subject) -> Figure:
    longest = subject.model.max_context_tokens
    if longest is None:
        return unknown(subject.model.unknowns.get("max_context_tokens", "nobody sourced it"))
    found = subject.model.provenance.get("max_context_tokens")
    return known(f"{format_tokens(longest)} tokens", longest, Basis.PUBLISHED, None if found is None else found.source)


def _per_token(subject: Subject) -> int | None:
    shape = subject.model.shape
    return None if shape is None else cache_bytes_per_token(shape)


def _cache_figure(subject: Subject) -> Figure:
    n_bytes = _per_token(subject)
    if n_bytes is None:
        return unknown(subject.model.shape_reason or _NO_SHAPE)
    if not n_bytes:
        return known("none: the state does not grow", 0, Basis.ESTIMATED)
    return known(format_bytes(n_bytes), n_bytes, Basis.ESTIMATED, "heads and layers of the catalogue")


def _memory_lines(subjects: tuple[Subject, ...]) -> tuple[Line, ...]:
    totals = [s.placed.fit.footprint.total_bytes if s.placed else None for s in subjects]
    alike = [_alike_bytes(s) for s in subjects]
    return (
        Line(
            "alike", f"weights in {ALIKE}", tuple(_alike_figure(s) for s in subjects),
            lowest(alike, lambda gap: f"{format_bytes(int(gap))} less"), "the same file type for all", "bytes",
        ),
        Line("quantization", "quantization", tuple(_quantization_figure(s) for s in subjects)),
        Line(
            "memory", "memory", tuple(_memory_figure(s) for s in subjects),
            lowest(totals, lambda gap: f"{format_bytes(int(gap))} less"),
            "weights, KV cache and buffers at the asked context and number of requests", "bytes",
        ),
        Line("memory_parts", "of that memory", tuple(_parts_figure(s) for s in subjects)),
    )  # fmt: skip


def _alike_bytes(subject: Subject) -> int | None:
    shape = subject.model.shape
    return None if shape is None else weights(shape, ALIKE).total_bytes


def _alike_figure(subject: Subject) -> Figure:
    n_bytes = _alike_bytes(subject)
    if n_bytes is None:
        return unknown(subject.model.shape_reason or _NO_SHAPE)
    return known(format_bytes(n_bytes), n_bytes, Basis.ESTIMATED, "llama.cpp's tensor table and quantization rules")


def _quantization_figure(subject: Subject) -> Figure:
    placed = subject.placed
    if placed is None:
        return unknown(subject.model.shape_reason or _NO_SHAPE)
    name = placed.quantization.name
    if subject.usable:
        return known(f"{name}{_among(subject)}", name)
    if subject.fits:
        return known(f"{name}, if the requirements it misses were lifted", name)
    return known(f"{name}, the nearest to fitting", name)


def _among(subject: Subject) -> str:
    """That the quantization has the best score, and which is the largest that passes."""
    if len(subject.passing) < 2:
        return ", the only one that passes"
    largest = max(subject.passing, key=lambda c: (c.fit.footprint.weights_bytes, c.id)).quantization.name
    also = "also the largest" if largest == subject.passing[0].quantization.name else f"the largest is {largest}"
    return f", the best score of {len(subject.passing)} that pass; {also}"


def _memory_figure(subject: Subject) -> Figure:
    placed = subject.placed
    if placed is None:
        return unknown(subject.model.shape_reason or _NO_SHAPE)
    footprint, placement = placed.fit.footprint, placed.fit.placement
    slots = f", {placement.parallel} at once" if placement.parallel > 1 else ""
    size = f"{format_bytes(footprint.total_bytes)} in {placed.quantization.name}"
    text = f"{size} for {placement.slot_tokens:,} tokens{slots}"
    return known(
        text if subject.fits else f"{text}: more than this machine has", footprint.total_bytes, footprint.basis
    )


def _parts_figure(subject: Subject) -> Figure:
    placed = subject.placed
    if placed is None:
        return unknown(_NO_SHAPE)
    footprint = placed.fit.footprint
    buffers = footprint.compute_bytes + footprint.output_bytes
    kind = "" if placed.fit.placement.kv_type == "f16" else f" in {placed.fit.placement.kv_type}"
    text = (
        f"weights {format_bytes(footprint.weights_bytes)}, KV cache {format_bytes(footprint.kv_cache_bytes)}{kind}, "
        f"buffers {format_bytes(buffers)}"
    )
    return known(text, footprint.weights_bytes, footprint.basis)


def speed_of(subject: Subject) -> Speed | None:
    """The speed on this machine; None where it does not fit or a bandwidth is unknown."""
    return subject.placed.speed if subject.placed is not None and subject.fits else None


def _speed_lines(subjects: tuple[Subject, ...]) -> tuple[Line, ...]:
    speeds = [speed_of(s) for s in subjects]
    rates = [None if s is None else s.decode_tokens_per_s for s in speeds]
    first = next((s for s in speeds if s is not None), None)
    depth = f"one request alone, {first.depth_tokens:,} tokens in the cache" if first else None
    prompt = f"a prompt of {first.prompt_tokens:,} tokens" if first else None
    return (
        Line(
            "decode", "decoding", tuple(_speed_figure(s, _decode_text) for s in subjects),
            fastest(rates), depth, "tokens per second",
        ),
        Line("prefill", "reading the prompt", tuple(_speed_figure(s, _prefill_text) for s in subjects),
             remark=prompt, unit="tokens per second"),
        Line("ttft", "first token", tuple(_speed_figure(s, _ttft_text) for s in subjects), remark=prompt, unit="ms"),
    )  # fmt: skip


def _speed_figure(subject: Subject, of: _Of) -> Figure:
    speed = speed_of(subject)
    if speed is None:
        reason = "no memory bandwidth is known for a device" if subject.fits and subject.placed else "it does not fit"
        return unknown(reason if subject.placed else _NO_SHAPE)
    text, value = of(speed)
    return known(text, round(value, 3), speed.basis, None if speed.basis is not Basis.ESTIMATED else ROOFLINE)


def _decode_text(speed: Speed) -> tuple[str, float]:
    rate, low, high = (format_rate(r) for r in (speed.decode_tokens_per_s, speed.low, speed.high))
    return f"{rate} ({low.removesuffix(' tok/s')} to {high.removesuffix(' tok/s')})", speed.decode_tokens_per_s


def _prefill_text(speed: Speed) -> tuple[str, float]:
    return format_rate(speed.prefill_tokens_per_s), speed.prefill_tokens_per_s


def _ttft_text(speed: Speed) -> tuple[str, float]:
    return format_milliseconds(speed.ttft_ms), speed.ttft_ms
