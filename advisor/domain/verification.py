"""Whether a recommendation that was recorded is still what the advisor would say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from advisor.domain.carried_load_words import carried_text, more_machines
from advisor.domain.footprint import DeviceFootprint
from advisor.domain.gates import PERMITTED, needed_modality
from advisor.domain.hardware import Gpu, Machine
from advisor.domain.languages import LanguageFinding, Support, judge_languages
from advisor.domain.licence import LicenceFinding, Verdict
from advisor.domain.pools import engine_uses_gpus
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.speed import Speed
from advisor.units import format_bytes, format_rate

MEMORY_TOLERANCE = 0.01
"""Share by which a total may differ on the same machine: what firmware and kernel keep varies between boots."""


class Status(StrEnum):
    """From the best to the worst."""

    HOLDS = "holds"
    CHANGED = "changed"
    """It differs from the record; the pick can still be run and used as described."""
    FAILS = "fails"
    """The pick breaks a requirement now."""


@dataclass(frozen=True, slots=True)
class RecordedPick:
    """What a recommendation file says about its pick and what the pick rested on."""

    model: str
    quantization: str
    catalogue_version: str
    catalogue_sha256: str
    machine: Machine
    devices: tuple[DeviceFootprint, ...]
    speed: Speed | None
    verdict: Verdict
    duties: tuple[str, ...]
    """Ids of the licence's obligations."""
    languages: Mapping[str, Support]
    """Required and preferred ones."""

    @property
    def id(self) -> str:
        return f"{self.model}:{self.quantization}"


@dataclass(frozen=True, slots=True)
class Check:
    """One point of comparison, with both sides in words."""

    id: str
    """`catalogue`, `machine`, `gates`, `rank`, `footprint`, `speed`, `licence` or `languages`."""
    status: Status
    recorded: str
    current: str


PREMISES = ("catalogue", "machine")
"""Checks of what the recommendation rests on. A change there is told, but it is the outcome that holds or not."""


@dataclass(frozen=True, slots=True)
class Verification:
    """All checks; one that cannot be made because the pick is excluded now is absent."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """Fails if a check fails; changed if the outcome differs otherwise, be it in rank alone; else holds."""
        if any(check.status is Status.FAILS for check in self.checks):
            return Status.FAILS
        outcome = [check for check in self.checks if check.id not in PREMISES]
        return Status.CHANGED if any(c.status is Status.CHANGED for c in outcome) else Status.HOLDS


def verify(recorded: RecordedPick, now: Recommendation, alone: Recommendation | None = None) -> Verification:
    """Compare a record with the advice derived now.

    `alone` is the advice with nothing but the recorded model's file type considered and the model named. It is asked
    for what the whole advice leaves out: a file type that is not offered, or why one fails while others pass.
    """
    candidate = _candidate(recorded, now, alone)
    rejection = None if candidate else _rejection(recorded, now, alone)
    checks = [
        _catalogue_check(recorded, now),
        _machine_check(recorded.machine, now.machine),
        _gates_check(recorded, candidate, rejection, now),
        _rank_check(recorded, candidate, now),
    ]
    if candidate is not None:
        checks += [_footprint_check(recorded, candidate), _speed_check(recorded.speed, candidate.speed)]
    known = candidate or rejection
    if known is not None:
        checks.append(_licence_check(recorded, known.licence))
        modality = needed_modality(now.constraints)
        finding = judge_languages(known.model.languages, now.constraints.languages, modality=modality)
        checks.append(_languages_check(recorded, finding))
    return Verification(tuple(checks))


def _advice(now: Recommendation, alone: Recommendation | None) -> Iterator[Recommendation]:
    if alone is not None:
        yield alone
    yield now


def _candidate(recorded: RecordedPick, now: Recommendation, alone: Recommendation | None) -> Candidate | None:
    found = (c for advice in _advice(now, alone) for c in advice.quantizations)
    return next((c for c in found if c.id == recorded.id), None)


def _rejection(recorded: RecordedPick, now: Recommendation, alone: Recommendation | None) -> Rejection | None:
    found = (r for advice in _advice(now, alone) for r in advice.rejected)
    return next((r for r in found if r.model.id == recorded.model), None)


def _check(check_id: str, is_same: bool, recorded: str, current: str) -> Check:
    return Check(check_id, Status.HOLDS if is_same else Status.CHANGED, recorded, current)


def _catalogue_check(recorded: RecordedPick, now: Recommendation) -> Check:
    is_same = recorded.catalogue_sha256 == now.catalogue_sha256
    return _check(
        "catalogue",
        is_same,
        f"version {recorded.catalogue_version}, sha256 {recorded.catalogue_sha256[:12]}",
        f"version {now.catalogue_version}, sha256 {now.catalogue_sha256[:12]}",
    )


def _machine_check(recorded: Machine, current: Machine) -> Check:
    is_same = (
        _is_close(recorded.memory.capacity_bytes, current.memory.capacity_bytes)
        and len(recorded.gpus) == len(current.gpus)
        and all(_is_same_gpu(a, b) for a, b in zip(recorded.gpus, current.gpus, strict=True))
        and (not current.gpus or engine_uses_gpus(recorded) == engine_uses_gpus(current))
    )
    return _check("machine", is_same, _machine_text(recorded), _machine_text(current))


def _is_same_gpu(one: Gpu, other: Gpu) -> bool:
    return one.name.value == other.name.value and _is_close(one.total_bytes.value, other.total_bytes.value)


def _is_close(one: int | None, other: int | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= MEMORY_TOLERANCE * max(one, other)


def _machine_text(machine: Machine) -> str:
    gpus = [f"{gpu.name.value or 'unknown GPU'} {_size(gpu.total_bytes.value)}" for gpu in machine.gpus]
    unused = " (not usable by llama.cpp)" if gpus and not engine_uses_gpus(machine) else ""
    return f"RAM {_size(machine.memory.capacity_bytes)}, {', '.join(gpus) or 'no GPU'}{unused}"


def _size(n_bytes: int | None) -> str:
    return "unknown" if n_bytes is None else format_bytes(n_bytes)


def _gates_check(
    recorded: RecordedPick, candidate: Candidate | None, rejection: Rejection | None, now: Recommendation
) -> Check:
    passed = f"{recorded.id} passes every requirement"
    if candidate is not None:
        return Check("gates", Status.HOLDS, passed, passed)
    if rejection is not None:
        why = "; ".join(f"{r.text} (to admit it: {r.fix})" if r.fix else r.text for r in rejection.reasons)
        place = f"{rejection.quantization}: " if rejection.quantization else ""
        return Check("gates", Status.FAILS, passed, f"excluded: {place}{why}")
    others = ", ".join(c.quantization.name for c in now.candidates_of(recorded.model))
    why = f"it passes in {others} but not in {recorded.quantization}" if others else "it was not considered"
    return Check("gates", Status.FAILS, passed, f"excluded: {why}")


def _rank_check(recorded: RecordedPick, candidate: Candidate | None, now: Recommendation) -> Check:
    first = now.pick
    if first is None:
        current = "nothing passes, so nothing ranks first"
    elif first.id == recorded.id:
        return Check("rank", Status.HOLDS, f"{recorded.id} ranks first", f"{recorded.id} ranks first")
    else:
        current = f"{first.id} ranks first" + (_why(first, candidate) if candidate else "")
    return Check("rank", Status.CHANGED, f"{recorded.id} ranks first", current)


def _why(first: Candidate, candidate: Candidate) -> str:
    """What puts one candidate before another: the load that users share, else a criterion."""
    if candidate.falls_short and not first.falls_short:
        return f" and carries the load; {candidate.id} {carried_text(candidate)}"
    if candidate.falls_short and first.score.total < candidate.score.total:
        return f"; {candidate.id} scores more, but {more_machines(candidate, first)}"
    pairs = list(zip(first.score.terms, candidate.score.terms, strict=True))
    ours, theirs = max(pairs, key=lambda pair: pair[0].contribution - pair[1].contribution)
    return (
        f" with {first.score.total:.3f} against {candidate.score.total:.3f}, mostly by {ours.criterion} "
        f"({ours.value:.2f} against {theirs.value:.2f}: {ours.why})"
    )


def _footprint_check(recorded: RecordedPick, candidate: Candidate) -> Check:
    current = candidate.fit.footprint.devices
    is_same = _used(recorded.devices) == _used(current)
    return _check("footprint", is_same, _devices_text(recorded.devices), _devices_text(current))


def _used(devices: Sequence[DeviceFootprint]) -> list[DeviceFootprint]:
    return [device for device in devices if device.total_bytes]


def _devices_text(devices: Sequence[DeviceFootprint]) -> str:
    return "; ".join(
        f"{d.name} {format_bytes(d.total_bytes)} ({d.weights_bytes:,} B weights, {d.kv_cache_bytes:,} B KV cache, "
        f"{d.compute_bytes:,} B compute buffer, {d.output_bytes:,} B output buffer)"
        for d in _used(devices)
    )


def _speed_check(recorded: Speed | None, current: Speed | None) -> Check:
    if recorded is None or current is None:
        is_same = recorded is current
    else:
        # The record is rounded to three digits.
        is_same = recorded.low <= round(current.decode_tokens_per_s, 3) <= recorded.high
    return _check("speed", is_same, _speed_text(recorded), _speed_text(current))


def _speed_text(speed: Speed | None) -> str:
    if speed is None:
        return "unknown"
    interval = f"{speed.low:.1f} to {speed.high:.1f}"
    return f"{format_rate(speed.decode_tokens_per_s)} {speed.basis.value} ({interval})"


def _licence_check(recorded: RecordedPick, finding: LicenceFinding) -> Check:
    duties = tuple(duty.id for duty in finding.obligations)
    is_same = finding.verdict is recorded.verdict and set(duties) == set(recorded.duties)
    status = Status.HOLDS if is_same else Status.CHANGED
    if finding.verdict not in PERMITTED:
        status = Status.FAILS
    before, after = _licence_text(recorded.verdict, recorded.duties), _licence_text(finding.verdict, duties)
    return Check("licence", status, before, after)


def _licence_text(verdict: Verdict, duties: Sequence[str]) -> str:
    words = verdict.value.replace("_", " ")
    return f"{words}: {', '.join(duties)}" if duties else words


def _languages_check(recorded: RecordedPick, finding: LanguageFinding) -> Check:
    current = {**finding.preferred, **finding.required}
    status = Status.HOLDS if current == dict(recorded.languages) else Status.CHANGED
    if finding.missing:
        status = Status.FAILS
    return Check("languages", status, _languages_text(recorded.languages), _languages_text(current))


def _languages_text(languages: Mapping[str, Support]) -> str:
    return ", ".join(f"{tag} {support.value.replace('_', ' ')}" for tag, support in languages.items()) or "none asked"
