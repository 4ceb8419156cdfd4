"""A candidate or a rejection as titled paragraphs and bars: the explanation beside a ranking."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.basis import Basis
from advisor.domain.carried_load_words import carried_lines
from advisor.domain.excluded_groups import ExcludedGroup
from advisor.domain.footprint import DeviceFootprint
from advisor.domain.hardware import Machine
from advisor.domain.languages import LanguageFinding, Support
from advisor.domain.licence import LicenceFinding
from advisor.domain.placement import Pool
from advisor.domain.quality_words import quality_lines
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.sensitivity_words import constraint_text, firmness_lines, rival_lines, weight_text
from advisor.domain.side_by_side import side_by_side_lines
from advisor.domain.smoke import SmokeMeasurement, SmokeVerdict
from advisor.domain.speed.latency import latency, latency_lines
from advisor.domain.summary import SUPPORT_MARKS, summary_lines
from advisor.domain.trial.evidence import Evidence
from advisor.domain.wording import CHECK_MARKS, VERDICT_MARKS, overlay_text, smoke_verdict_text, speed_text
from advisor.units import counted, format_bytes, format_figure, format_rate

BAR_PARTS = (("weights", "█"), ("KV cache", "▓"), ("compute", "▒"), ("free", "·"))
"""What a memory bar is made of; the characters differ in shape, so it reads without colour."""

BASIS_WORDS = {
    Basis.ENGINE: "llama.cpp reported it in a load without weights",
    Basis.MEASURED: "timed on this machine",
    Basis.CALIBRATED: "estimated, then scaled by a measurement on this machine",
    Basis.ESTIMATED: "a formula over published figures; nothing was timed here",
    Basis.PUBLISHED: "stated by a source",
}

SUPPORT_WORDS = {
    Support.SUPPORTED: "supported, says the model card",
    Support.NOT_CLAIMED: "not claimed by the model card",
    Support.UNKNOWN: "unknown - nobody sourced it",
}

_CRITERION_WIDTH = 9
_SUM_WIDTH = len("0.00 × 0.00 = 0.000")
_LONGEST_BAR = 48


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A title and its lines, as plain text."""

    title: str
    lines: tuple[str, ...]
    is_detail: bool = False
    """Folded until somebody asks, where the reader can fold."""


def share_bar(share: float, width: int = 10) -> str:
    """A share of 0..1 as filled and empty cells."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return "█" * filled + "·" * (width - filled)


def memory_bar(device: DeviceFootprint, pool: Pool, width: int) -> str:
    """A device's budget as cells: weights, KV cache, compute, free. What is used shows at least one cell."""
    parts = _parts(device, pool)
    whole = max(1, sum(n for _, n in parts))
    cells = [max(1, round(width * n / whole)) if n else 0 for _, n in parts]
    # Rounding must not change the length: the longest part gives or takes.
    longest = cells.index(max(cells))
    cells[longest] = max(0, cells[longest] + width - sum(cells))
    return "".join(sign * n for (_, sign), n in zip(BAR_PARTS, cells, strict=True))


def _parts(device: DeviceFootprint, pool: Pool) -> tuple[tuple[str, int], ...]:
    compute = device.compute_bytes + device.output_bytes
    free = max(0, pool.budget_bytes - device.total_bytes)
    sizes = (device.weights_bytes, device.kv_cache_bytes, compute, free)
    return tuple((name, size) for (name, _), size in zip(BAR_PARTS, sizes, strict=True))


def explanation(candidate: Candidate, found: Recommendation, *, width: int) -> tuple[Paragraph, ...]:
    """Everything that speaks for and against a candidate, for a panel of `width` cells."""
    paragraphs = (
        _heading(candidate, found),
        Paragraph("Take note", candidate.warnings),
        Paragraph("Memory", _memory_lines(candidate, width)),
        Paragraph("Speed", _speed_lines(candidate, found)),
        Paragraph("Licence", licence_lines(candidate.licence)),
        Paragraph("Languages", _language_lines(candidate.languages)),
        Paragraph(f"Score {candidate.score.total:.3f} = value × weight, summed", _score_lines(candidate, width)),
        Paragraph("Quality", quality_lines(found, candidate)),
        *_firmness(candidate, found),
        Paragraph("What would change the licence verdict", candidate.licence.changes),
        Paragraph("Other quantizations that pass", _sibling_lines(candidate, found), is_detail=True),
        Paragraph("For your users", _load_lines(candidate, found), is_detail=not found.load.is_shared),
        Paragraph("Licence clauses", _clause_lines(candidate.licence), is_detail=True),
    )
    return tuple(p for p in paragraphs if p.lines)


def _heading(candidate: Candidate, found: Recommendation) -> Paragraph:
    rank = next((i for i, c in enumerate(found.ranked, start=1) if c.id == candidate.id), None)
    place = "" if rank is None else f" · rank {rank} of {len(found.ranked)}"
    name = f"{candidate.model.name} {candidate.quantization.name}"
    mine = overlay_text(candidate.model)
    marks = () if mine is None else (mine,)
    return Paragraph(name + place, (*summary_lines(candidate, found), candidate.model.hf_id, *marks))


def _firmness(candidate: Candidate, found: Recommendation) -> tuple[Paragraph, ...]:
    """How firm the pick is, in full where that was examined; of another model, what would put it in its place."""
    firm = found.sensitivity
    if firm is None:
        return ()
    if candidate.model.id != firm.model:
        return (Paragraph("What would put it first", rival_lines(firm, candidate.model.id)),)
    summary = Paragraph("How firm the first place is", firmness_lines(firm))
    return (summary, *sensitivity_paragraphs(found)) if firm.constraints is not None else (summary,)


def sensitivity_paragraphs(found: Recommendation) -> tuple[Paragraph, ...]:
    """The whole table: every weight, every requirement that was tried, every rival."""
    firm = found.sensitivity
    if firm is None:
        return ()
    rivals = tuple(f"{r.model} first in {r.share:.1%} of the reweightings" for r in firm.rivals)
    changes = tuple(constraint_text(change) for change in firm.constraints or ())
    if firm.constraints == ():
        changes = ("no requirement that was tried changes the pick",)
    paragraphs = (
        Paragraph("Where the pick changes if one weight changes", tuple(weight_text(r) for r in firm.weights), True),
        Paragraph("Where the pick changes if one requirement changes", changes),
        Paragraph("Who wins otherwise", rivals),
    )
    return tuple(p for p in paragraphs if p.lines)


def _score_lines(candidate: Candidate, width: int) -> tuple[str, ...]:
    front = "nothing beats it in quality, speed or memory without losing in another"
    lines = [front] if candidate.on_front else []
    bar = max(3, min(10, width - _CRITERION_WIDTH - _SUM_WIDTH - 2))
    for term in candidate.score.terms:
        sums = f"{term.value:.2f} × {term.weight:.2f} = {term.contribution:.3f}"
        lines.append(f"{term.criterion:<{_CRITERION_WIDTH}} {share_bar(term.value, bar)} {sums}")
        lines.append(f"  {term.why}")
    return tuple(lines)


def _memory_lines(candidate: Candidate, width: int) -> tuple[str, ...]:
    fit = candidate.fit
    lines: list[str] = []
    for device, pool in zip(fit.footprint.devices, fit.pools, strict=True):
        if not device.total_bytes:
            continue
        lines.append(f"{device.name}: {format_bytes(device.total_bytes)} of {format_bytes(pool.budget_bytes)}")
        lines.append(memory_bar(device, pool, max(8, min(_LONGEST_BAR, width))))
        signs = dict(BAR_PARTS)
        lines += [f"{signs[name]} {name:<8} {format_bytes(n):>9}" for name, n in _parts(device, pool) if n]
    return (*lines, _placement_line(candidate), f"basis: {candidate.fit.footprint.basis.value}")


def _placement_line(candidate: Candidate) -> str:
    placement = candidate.fit.placement
    where = f"{counted(placement.n_gpu_layers, 'layer')} on GPU" if placement.n_gpu_layers else "all on the processor"
    experts = ", experts in RAM" if placement.experts_in_ram else ""
    slots = f", {placement.parallel} requests at once" if placement.parallel > 1 else ""
    return f"{where}{experts}; {placement.slot_tokens:,} tokens of context{slots}"


def _speed_lines(candidate: Candidate, found: Recommendation) -> tuple[str, ...]:
    speed = candidate.speed
    if speed is None:
        return ("unknown - no memory bandwidth is known for a device of this machine",)
    answer_tokens = found.constraints.scale.answer_tokens
    return (
        f"{format_rate(speed.decode_tokens_per_s)}, likely between {speed.low:.1f} and {speed.high:.1f}",
        *latency_lines(latency(speed, answer_tokens), speed.prompt_tokens, answer_tokens),
        f"basis: {speed.basis.value} - {BASIS_WORDS[speed.basis]}",
    )


def licence_lines(finding: LicenceFinding) -> tuple[str, ...]:
    """Verdict, reasons where it withholds, duties with the exact words, and the cautious reading."""
    lines = [f"{VERDICT_MARKS[finding.verdict.value]} - {finding.licence}"]
    if not finding.verdict.grants:
        lines += finding.reasons
    lines += [f"duty: {duty.text}" for duty in finding.obligations]
    lines += [f"always: {term.text}" for term in finding.standing]
    cautious = finding.conservative
    if cautious is not None:
        lines.append(f"a cautious reader says: {VERDICT_MARKS[cautious.verdict.value]}")
        extra = [duty for duty in cautious.obligations if duty not in finding.obligations]
        lines += [f"cautious duty: {duty.text}" for duty in extra]
        lines += [f"because: {point.text}" for point in cautious.because]
    return tuple(lines)


def _clause_lines(finding: LicenceFinding) -> tuple[str, ...]:
    return tuple(f"{clause.id}: {clause.text} [{clause.source}]" for clause in finding.clauses)


def _language_lines(finding: LanguageFinding) -> tuple[str, ...]:
    asked = [(tag, s, "required") for tag, s in finding.required.items()]
    asked += [(tag, s, "preferred") for tag, s in finding.preferred.items()]
    lines = [f"{SUPPORT_MARKS[s]} {finding.words(tag)}: {SUPPORT_WORDS[s]} ({wish})" for tag, s, wish in asked]
    if finding.narrowed_by:
        lines.append(f"by the card's list for {finding.narrowed_by}, which is not that for text")
    return tuple(lines)


def language_marks(finding: LanguageFinding) -> str:
    """Languages in a cell: `✓ en fr ✗ de`."""
    asked = {**finding.preferred, **finding.required}
    groups = []
    for support, mark in SUPPORT_MARKS.items():
        tags = [tag for tag, found in asked.items() if found is support]
        if tags:
            groups.append(f"{mark} {' '.join(tags)}")
    return " ".join(groups) or "none asked"


def _sibling_lines(candidate: Candidate, found: Recommendation) -> tuple[str, ...]:
    others = [c for c in found.candidates_of(candidate.model.id) if c.id != candidate.id]
    return tuple(
        f"{c.quantization.name:<7} {format_bytes(c.fit.footprint.total_bytes):>9}  {speed_text(c.speed):>11}"
        f"  score {c.score.total:.3f}"
        for c in others
    )


def _load_lines(candidate: Candidate, found: Recommendation) -> tuple[str, ...]:
    load, plan = found.load, found.plan
    lines = [f"{format_figure(load.in_flight)} requests in flight on average, {load.slots:,} at once at most"]
    if load.is_shared:
        return (*lines, *carried_lines(candidate, found))
    if plan is not None and found.pick is not None and found.pick.id == candidate.id:
        machines = "this machine" if plan.replicas == 1 else f"{plan.replicas} machines like this"
        lines.append(f"{machines} at {plan.utilisation:.0%} load ({plan.basis.value})")
        lines.append(plan.note)
    return tuple(lines)


def rejection_paragraphs(rejection: Rejection) -> tuple[Paragraph, ...]:
    """Why something is excluded, and the smallest change that would admit it."""
    reasons = tuple(reason.text for reason in rejection.reasons)
    fixes = tuple(reason.fix for reason in rejection.reasons if reason.fix) or ("nothing that you could set",)
    licence = tuple(c for c in rejection.licence.changes if c not in fixes)
    name = f"{rejection.model.name} {rejection.quantization or ''}".strip()
    paragraphs = (
        Paragraph(f"{name} · excluded", (rejection.model.hf_id,)),
        Paragraph("Because", reasons),
        Paragraph("Smallest change that would admit it", fixes),
        Paragraph("Licence", licence_lines(rejection.licence)),
        Paragraph("What would change the licence verdict", licence),
        Paragraph("Licence clauses", _clause_lines(rejection.licence), is_detail=True),
    )
    return tuple(p for p in paragraphs if p.lines)


def exclusion_paragraphs(group: ExcludedGroup) -> tuple[Paragraph, ...]:
    """A requirement with whom it excludes, and its nearest miss."""
    n, nearest = len(group.rejections), group.rejections[0]
    liftable = sum(r.is_liftable for r in group.rejections)
    about = (
        f"{group.n_alone} of {n} {'misses' if group.n_alone == 1 else 'miss'} nothing else",
        *(() if group.is_timed else ("Their speed is not judged: there is no room to run them in.",)),
        f"{liftable} of {n} can be admitted by other answers",
    )
    reasons = tuple(f"✗ {reason.line}" for reason in nearest.reasons)
    return (
        Paragraph(f"{group.title} · excludes {counted(n, 'model')}", about),
        Paragraph(f"Nearest miss: {nearest.model.name} {nearest.quantization or ''}".rstrip(), reasons),
    )


def remaining_text(found: Recommendation) -> str:
    """How many models the answers leave: `31 of 59 models remain`."""
    left, whole = len(found.ranked), len(found.ranked) + len(found.rejected)
    return f"{left} of {whole} models {'remains' if left == 1 else 'remain'}"


def first_text(found: Recommendation) -> str | None:
    """The pick in a line: `first: Ministral 3 8B Instruct 2512 Q4_K_M, ~9.3 tok/s`; None where nothing passes."""
    pick = found.pick
    return None if pick is None else f"first: {pick.model.name} {pick.quantization.name}, {speed_text(pick.speed)}"


def nothing_passes(found: Recommendation) -> tuple[Paragraph, ...]:
    """Why the answers leave no model, and the three nearest misses."""
    counts: dict[str, int] = {}
    for rejection in found.rejected:
        for code in dict.fromkeys(reason.code for reason in rejection.reasons):
            counts[code] = counts.get(code, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    whole = len(found.rejected)
    why = tuple(f"{n} of {whole} {'fails' if n == 1 else 'fail'} on {code.replace('_', ' ')}" for code, n in ordered)
    misses = []
    for rejection in found.near_misses:
        lines = [f"✗ {reason.line}" for reason in rejection.reasons]
        name = f"{rejection.model.name} {rejection.quantization or ''}".strip()
        misses.append(Paragraph(f"Near miss: {name}", tuple(lines)))
    return (Paragraph("No model passes all requirements", why), *misses)


def machine_text(machine: Machine) -> str:
    """A machine by what decides: `2 × RTX 4090, 64.00 GiB of system memory`."""
    names = [gpu.name.value or "GPU" for gpu in machine.gpus]
    gpus = [name if names.count(name) == 1 else f"{names.count(name)} × {name}" for name in dict.fromkeys(names)]
    capacity = machine.memory.capacity_bytes
    ram = "unknown system memory" if capacity is None else f"{format_bytes(capacity)} of system memory"
    return ", ".join([*(gpus or ["no GPU"]), ram])


_NOT_PROBED = "described, not probed"
"""Of a machine that is not here: whether llama.cpp is there nobody looked."""


def grounds(machine: Machine, chosen: Candidate | None, trial: Evidence | None = None) -> str:
    """What the figures rest on, in one line; `trial` is the user's own that quality is judged by."""
    version = machine.engine.version.value
    parts = [
        f"SIM: {machine_text(machine)}" if machine.simulated else "this machine",
        *([f"quality by your trial “{trial.tasks_name}”"] if trial is not None else []),
        f"llama-cpp-python {version}" if version else _NOT_PROBED if machine.simulated else "llama.cpp not found",
    ]
    if chosen is not None:
        parts.append(f"memory {chosen.fit.footprint.basis.value}")
        parts.append(f"speed {chosen.speed.basis.value if chosen.speed else 'unknown'}")
    return " · ".join(parts)


SYNTHETIC_NOTE = "synthetic weights in the model's true shape - not a quality check"

_STAGES = {
    "start": "starting the engine",
    "write": "writing synthetic weights",
    "load": "loading",
    "tokens": "writing",
    "prefill": "timing a prompt",
    "decode": "timing tokens",
}


def smoke_stage(stage: str, share: float | None, n_tokens: int, seconds: float) -> str:
    """What a running smoke test does now, and since when it runs."""
    words = _STAGES.get(stage, stage.replace("_", " "))
    if stage == "load" and share == 1.0:
        words = "reading a prompt"
    count = f", {n_tokens} so far" if n_tokens else ""
    return f"{words}{count} … {seconds:.0f} s"


def smoke_intention(candidate: Candidate) -> tuple[Paragraph, ...]:
    """What a smoke test would show about a candidate, and the prediction it would be held against."""
    speed = candidate.speed
    rate = "unknown" if speed is None else f"{format_rate(speed.decode_tokens_per_s)} ({speed.basis.value})"
    ram = candidate.fit.footprint.devices[0]
    about = (
        "llama.cpp runs the model's file here for a moment, in a process of its own: speed, memory, chat template,"
        " languages, stopping, a long prompt.",
        f"Without the model's file it uses {SYNTHETIC_NOTE}.",
    )
    predicted = (f"speed   {rate}", f"memory  {format_bytes(ram.total_bytes)} of system memory")
    return (Paragraph("Smoke test", about), Paragraph("Prediction to be tested", predicted))


def smoke_paragraphs(
    candidate: Candidate, measured: SmokeMeasurement, verdict: SmokeVerdict, following: tuple[str, ...] = ()
) -> tuple[Paragraph, ...]:
    """The verdict with its checks, what to try after a failure, and prediction beside measurement."""
    checks = tuple(f"{CHECK_MARKS[check.passed]} {check.text}" for check in verdict.checks)
    note = (SYNTHETIC_NOTE,) if measured.synthetic else ()
    return (
        Paragraph(smoke_verdict_text(verdict), checks),
        *([Paragraph("Try next", following)] if following else []),
        Paragraph("Prediction and measurement", (*side_by_side_lines(candidate, measured), *note)),
    )
