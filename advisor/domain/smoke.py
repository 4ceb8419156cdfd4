"""Did it run, and as fast and as small as predicted? The smoke test's measurement and the verdict on it.

It says nothing about the quality of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.domain.smoke_answers import AnswerCheckId, AnswerFacts, judge_answers
from advisor.units import format_bytes, format_milliseconds, format_rate

Verdict = Literal["pass", "warn", "fail"]
CheckId = Literal["runs", "text", "decode", "ttft", "interval", "memory", "quiet"] | AnswerCheckId

MEMORY_TOLERANCE = 1.05
"""Measured memory may exceed the predicted footprint by this factor before it is worth a warning."""

BUSY_CORES = 0.25
"""Other programs that keep more than this many cores busy slow llama.cpp down by far more than their share, because its
threads wait for each other after every step."""


@dataclass(frozen=True, slots=True)
class SmokeMeasurement:
    """What one run on this machine showed. Speeds are None where nothing ran long enough to be timed."""

    synthetic: bool
    """Random weights in the model's shape, so that nothing had to be downloaded."""
    layers_run: int
    layers_total: int
    error: str | None
    """Why it did not run, or not to the end; what was measured before stands below."""
    prompt_tokens: int = 0
    full_ttft_ms: float | None = None
    """Of the whole model: measured, or extrapolated from slices; None where neither is possible."""
    full_decode_tokens_per_s: float | None = None
    decode_low: float | None = None
    decode_high: float | None = None
    """An interval of 95 % around the decode speed."""
    prefill_tokens_per_s: float | None = None
    prefill_low: float | None = None
    prefill_high: float | None = None
    """Lowest and highest of the prompts that were timed, or an interval of 95 % where slices were."""
    unjudged: str | None = None
    """Why a speed that was measured does not count."""
    peak_bytes: int | None = None
    """Most system memory held, less what the engine held before it loaded anything."""
    weights_bytes: int | None = None
    load_ms: float | None = None
    others_cores: float | None = None
    """Processor cores that other programs kept busy meanwhile."""
    texts: tuple[str, ...] = ()
    """What a file with real weights answered."""
    answers: AnswerFacts | None = None
    """None for random weights."""

    @property
    def is_whole(self) -> bool:
        return self.layers_run == self.layers_total

    @property
    def extrapolated(self) -> bool:
        return not self.is_whole and self.full_decode_tokens_per_s is not None


@dataclass(frozen=True, slots=True)
class SmokeExpectation:
    """What was required and predicted; None where nothing was."""

    min_decode_tokens_per_s: float | None = None
    max_ttft_ms: float | None = None
    ttft_prompt_tokens: int | None = None
    """The prompt for which the limit of the first token holds; None for the one that was run."""
    predicted_decode_tokens_per_s: float | None = None
    decode_low: float | None = None
    decode_high: float | None = None
    predicted_ram_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """One point on which a run was judged."""

    id: CheckId
    passed: bool | None
    """None where it could not be judged; the text says why."""
    required: bool
    """Whether failing it fails the test, or only warns."""
    text: str


@dataclass(frozen=True, slots=True)
class SmokeVerdict:
    """The judgement on a run."""

    verdict: Verdict
    checks: tuple[SmokeCheck, ...]


def judge(
    measured: SmokeMeasurement, expected: SmokeExpectation, names: Mapping[str, str] | None = None
) -> SmokeVerdict:
    """Hold a measurement against what was required and predicted. `names` are those of languages, for people."""
    checks = [_runs(measured)]
    if measured.answers is not None:
        checks += [_text(measured)]
        found = judge_answers(measured.answers, names or {})
        checks += [SmokeCheck(f.id, f.passed, f.required, f.text) for f in found]
    if measured.error is None or measured.full_decode_tokens_per_s is not None:
        optional = [
            _decode(measured, expected),
            _ttft(measured, expected),
            _interval(measured, expected),
            _memory(measured, expected),
            _quiet(measured),
        ]
        checks += [check for check in optional if check is not None]
    failed = [check for check in checks if check.passed is False]
    verdict: Verdict = "fail" if any(c.required for c in failed) else "warn" if failed else "pass"
    return SmokeVerdict(verdict, tuple(checks))


def _runs(measured: SmokeMeasurement) -> SmokeCheck:
    if measured.error is not None:
        how = "did not run to the end" if measured.answers is not None else "did not run"
        return SmokeCheck("runs", False, True, f"{how}: {measured.error}")
    what = "random weights in the model's shape" if measured.synthetic else "the model's own weights"
    part = "" if measured.is_whole else f", {measured.layers_run} of {measured.layers_total} layers"
    return SmokeCheck("runs", True, True, f"ran with {what}{part}")


def _text(measured: SmokeMeasurement) -> SmokeCheck:
    written = any(text.strip() for text in measured.texts)
    return SmokeCheck("text", written, True, "wrote text" if written else "wrote no text")


def _decode(measured: SmokeMeasurement, expected: SmokeExpectation) -> SmokeCheck | None:
    limit, rate = expected.min_decode_tokens_per_s, measured.full_decode_tokens_per_s
    if limit is None:
        return None
    if rate is None:
        return SmokeCheck("decode", None, True, _unjudged(measured))
    required = f"{format_rate(limit, rate)} required"
    text = f"decodes {format_rate(rate, limit)} ({_bounds(measured)}{_how(measured)}), {required}"
    return SmokeCheck("decode", rate >= limit, True, text)


def _how(measured: SmokeMeasurement) -> str:
    return "extrapolated" if measured.extrapolated else "measured"


def _bounds(measured: SmokeMeasurement) -> str:
    low, high = measured.decode_low, measured.decode_high
    return "" if low is None or high is None else f"{low:.1f} to {high:.1f}, "


def _ttft(measured: SmokeMeasurement, expected: SmokeExpectation) -> SmokeCheck | None:
    limit, milliseconds = expected.max_ttft_ms, measured.full_ttft_ms
    if limit is None:
        return None
    if milliseconds is None or measured.prompt_tokens <= 0:
        return SmokeCheck("ttft", None, True, _unjudged(measured))
    n_wanted = expected.ttft_prompt_tokens or measured.prompt_tokens
    scaled = milliseconds * n_wanted / measured.prompt_tokens
    how = _how(measured)
    if n_wanted != measured.prompt_tokens:
        how += f" with {measured.prompt_tokens} tokens"
    text = (
        f"first token after {format_milliseconds(scaled, limit)} for a prompt of {n_wanted} tokens ({how}), "
        f"{format_milliseconds(limit, scaled)} allowed"
    )
    return SmokeCheck("ttft", scaled <= limit, True, text)


def _interval(measured: SmokeMeasurement, expected: SmokeExpectation) -> SmokeCheck | None:
    low, high, rate = expected.decode_low, expected.decode_high, measured.full_decode_tokens_per_s
    if low is None or high is None or rate is None:
        return None
    guess = expected.predicted_decode_tokens_per_s
    said = "" if guess is None else f"{format_rate(guess)}, "
    bounds = f"{format_rate(low, rate)} to {format_rate(high, rate)}"
    shown = format_rate(rate, low if rate < low else high)
    return SmokeCheck("interval", low <= rate <= high, False, f"decodes {shown}, predicted {said}{bounds}")


def _memory(measured: SmokeMeasurement, expected: SmokeExpectation) -> SmokeCheck | None:
    peak, predicted = measured.peak_bytes, expected.predicted_ram_bytes
    if predicted is None:
        return None
    if peak is None or not measured.is_whole:
        if measured.error is not None:
            return None
        text = f"memory not compared: {measured.layers_run} of {measured.layers_total} layers ran"
        return SmokeCheck("memory", None, False, text)
    text = f"held {format_bytes(peak)} of system memory, {format_bytes(predicted)} predicted"
    return SmokeCheck("memory", peak <= predicted * MEMORY_TOLERANCE, False, text)


def _quiet(measured: SmokeMeasurement) -> SmokeCheck | None:
    """Only speaks up where the machine was busy."""
    cores = measured.others_cores
    if cores is None or cores <= BUSY_CORES:
        return None
    text = f"other programs kept {cores:.1f} cores busy, so the speeds are too low; run it again on an idle machine"
    if measured.unjudged is not None:
        text = "run it again on an idle machine"
    return SmokeCheck("quiet", False, False, text)


def _unjudged(measured: SmokeMeasurement) -> str:
    return f"speed not judged: {measured.unjudged or 'too few tokens were timed'}"
