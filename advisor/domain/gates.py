"""Hard requirements: what excludes a model or a quantization, by how much, and what would admit it."""

from __future__ import annotations

import math
from collections.abc import Callable

from advisor.domain.change import Change, Setting, setting
from advisor.domain.constraints import Constraints
from advisor.domain.fit import Fit
from advisor.domain.kv_cache import KV_PADDING
from advisor.domain.languages import LanguageFinding, Support
from advisor.domain.licence import LicenceFinding, Verdict
from advisor.domain.model import Model
from advisor.domain.speed import Speed
from advisor.units import format_bytes, format_milliseconds, format_rate, format_tokens
from advisor.values import value


@value
class Reason:
    """Why something is excluded."""

    code: str
    """Machine-readable requirement: `licence`, `languages`, `context`, `modality`, `memory`, `decode_speed`, …"""
    text: str
    fix: str | None
    """The smallest change that would admit it; None where none would."""
    miss: float
    """How far it is from passing, as a share of the requirement; 1 where it is no matter of degree."""
    change: Change | None = None
    """What `fix` says, as answers; None where no answer would do."""

    @property
    def line(self) -> str:
        """The reason, and after an arrow what would admit it."""
        return self.text if self.fix is None else f"{self.text} → {self.fix}"


PLACEMENT_CODES = frozenset({"memory", "decode_speed", "ttft", "speed_unknown"})
"""Reasons that lie in the machine and the load: other hardware could remove them."""
PERMITTED = (Verdict.ALLOWED, Verdict.ALLOWED_WITH_OBLIGATIONS)


def model_reasons(
    model: Model, constraints: Constraints, licence: LicenceFinding, languages: LanguageFinding
) -> tuple[Reason, ...]:
    """Reasons that hold for every quantization of a model."""
    found = (
        _licence(licence),
        _languages(languages),
        _modality(model, constraints),
        _context(model, constraints),
        _engine(model),
    )
    return tuple(reason for reason in found if reason is not None)


def _licence(finding: LicenceFinding) -> Reason | None:
    if finding.verdict in PERMITTED:
        return None
    words = finding.verdict.value.replace("_", " ")
    why = finding.reasons[0] if finding.reasons else "its terms are not established"
    text, admission = f"licence: {words}: {why}", finding.admission
    if admission is None:
        return Reason("licence", text, finding.changes[0] if finding.changes else None, 1.0)
    settings = tuple(Setting(key, value) for key, value in admission.answers)
    return Reason("licence", text, admission.text, 1.0, Change(settings))


def _languages(finding: LanguageFinding) -> Reason | None:
    if not finding.missing:
        return None
    unknown = [tag for tag in finding.missing if finding.required[tag] is Support.UNKNOWN]
    unclaimed = [tag for tag in finding.missing if tag not in unknown]
    if unclaimed:
        where = f" with {finding.narrowed_by}" if finding.narrowed_by else ""
        text = f"languages: the model card does not claim {_named(finding, unclaimed)}{where}"
    else:
        words = _named(finding, unknown)
        text = f"languages: nobody sourced which languages it supports, so {words} cannot be confirmed"
    fix = f"drop {', '.join(finding.missing)} from languages.required"
    kept = tuple(tag for tag in finding.required if tag not in finding.missing)
    miss = len(finding.missing) / max(1, len(finding.required))
    return Reason("languages", text, fix, miss, setting("languages.required", kept))


def _named(finding: LanguageFinding, tags: list[str]) -> str:
    return ", ".join(finding.words(tag) for tag in tags)


def needed_modality(constraints: Constraints) -> str:
    """What must go into the model."""
    return "image" if constraints.task.kind == "vision" else constraints.use.modality


def _modality(model: Model, constraints: Constraints) -> Reason | None:
    needed = needed_modality(constraints)
    if needed in model.modalities:
        return None
    text = f"modality: it takes {' and '.join(model.modalities)}, not {needed}"
    if constraints.task.kind != "vision":
        return Reason("modality", text, "set use.modality to text", 1.0, setting("use.modality", "text"))
    # What goes in is asked twice: by the task, and by the use that a licence is judged for.
    change = Change((Setting("task.kind", "chat"), Setting("use.modality", "text")))
    return Reason("modality", text, "set task.kind to another task, such as chat", 1.0, change)


def _context(model: Model, constraints: Constraints) -> Reason | None:
    asked, most = constraints.task.context_tokens, model.max_context_tokens
    if most is None:
        return Reason("context", "context: the longest context of this model is unknown", None, 1.0)
    if asked <= most:
        return None
    text, miss = f"context: {asked:,} tokens asked, at most {most:,}", (asked - most) / asked
    needed = constraints.scale.prompt_tokens + constraints.scale.answer_tokens
    if needed > most:
        fix = f"a prompt and an answer of at most {most:,} tokens together, and task.context_tokens {most}"
        return Reason("context", text, fix, miss)
    fix = f"set task.context_tokens to {most} or less"
    return Reason("context", text, fix, miss, setting("task.context_tokens", most))


def _engine(model: Model) -> Reason | None:
    if model.shape is not None:
        return None
    why = model.shape_reason or "its shape is unknown"
    return Reason("engine", f"engine: llama.cpp cannot run it here: {why}", None, 1.0)


def memory_reason(fit: Fit | None, constraints: Constraints, passes: Callable[[int], bool]) -> Reason:
    """Why no placement fits, with the one that misses least. `passes` tells whether the candidate would with a context
    of so many tokens."""
    if fit is None:
        text = "memory: no GPU that llama.cpp can use, and the processor is ruled out"
        return Reason("memory", text, "set machine.allow_cpu to true", 1.0, setting("machine.allow_cpu", True))
    short = [(s, p) for s, p in zip(fit.shortfalls, fit.pools, strict=True) if s]
    missing = sum(s for s, _ in short)
    where = ", ".join(f"{format_bytes(p.budget_bytes)} of {p.name}" for _, p in short)
    need = fit.footprint.total_bytes
    lean = "" if fit.placement.kv_type == "f16" else f" with a KV cache in {fit.placement.kv_type}"
    text = f"memory: needs {format_bytes(need)}{lean}, {format_bytes(missing)} more than {where} can give"
    fix, change = _memory_fix(fit, missing, constraints, passes)
    return Reason("memory", text, fix, missing / max(1, need), change)


def _memory_fix(
    fit: Fit, missing: int, constraints: Constraints, passes: Callable[[int], bool]
) -> tuple[str, Change | None]:
    cache, context = fit.footprint.kv_cache_bytes, constraints.task.context_tokens
    if cache > missing and fit.placement.parallel == 1:
        needed = constraints.scale.prompt_tokens + constraints.scale.answer_tokens
        fitting = _longest_context(needed, int(context * (1 - missing / cache)), passes)
        if fitting is not None:
            text = f"set task.context_tokens to {format_tokens(fitting)} ({fitting})"
            return text, setting("task.context_tokens", fitting)
    return f"{format_bytes(missing)} more memory", None


def _longest_context(least: int, most: int, passes: Callable[[int], bool]) -> int | None:
    """The most tokens from `least` to `most` that pass, in steps of llama.cpp's padding; None where not even `least`.

    `most` is what fits if the whole cache shrinks with the context, as it does but for layers with a window.
    """
    low, high = -(-least // KV_PADDING), most // KV_PADDING
    if low <= high and passes(high * KV_PADDING):
        return high * KV_PADDING
    if low > high or not passes(low * KV_PADDING):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle * KV_PADDING) else (low, middle)
    return low * KV_PADDING


def speed_reasons(speed: Speed | None, constraints: Constraints) -> tuple[Reason, ...]:
    """Latency requirements that the expected speed misses."""
    latency = constraints.latency
    if speed is None:
        if latency.ttft_ms is None and latency.tokens_per_s is None:
            return ()
        text = "speed: cannot be estimated, the GPU's bandwidth is unknown"
        asked_of = {"latency.tokens_per_s": latency.tokens_per_s, "latency.ttft_ms": latency.ttft_ms}
        dropped = Change(tuple(Setting(key, None) for key, limit in asked_of.items() if limit is not None))
        return (Reason("speed_unknown", text, "measure it, or ask for no speed", 1.0, dropped),)
    found = []
    if latency.tokens_per_s is not None and speed.decode_tokens_per_s < latency.tokens_per_s:
        got, asked = speed.decode_tokens_per_s, latency.tokens_per_s
        text = f"speed: {format_rate(got, asked)} {speed.basis.value}, {asked:g} asked"
        fix = f"set latency.tokens_per_s to {_floor(got):g} or less"
        change = setting("latency.tokens_per_s", _floor(got))
        found.append(Reason("decode_speed", text, fix, (asked - got) / asked, change))
    if latency.ttft_ms is not None and speed.ttft_ms > latency.ttft_ms:
        wait = format_milliseconds(speed.ttft_ms, latency.ttft_ms)
        limit = format_milliseconds(latency.ttft_ms, speed.ttft_ms)
        text = f"latency: first token after {wait} {speed.basis.value}, {limit} asked"
        fix = f"set latency.ttft_ms to {int(speed.ttft_ms) + 1} or more"
        change = setting("latency.ttft_ms", int(speed.ttft_ms) + 1)
        found.append(Reason("ttft", text, fix, (speed.ttft_ms - latency.ttft_ms) / speed.ttft_ms, change))
    return tuple(found)


def _floor(rate: float) -> float:
    """A rate rounded down, so that setting it admits the candidate."""
    digits = 1 if rate >= 1 else 2
    return math.floor(rate * 10.0**digits) / 10.0**digits
