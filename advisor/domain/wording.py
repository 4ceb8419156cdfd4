"""What was found, in words: the sentences that the command line and the screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.domain.fleet import Fleet
from advisor.domain.hardware import Machine, Reading
from advisor.domain.language_names import NO_NAMES, LanguageNames
from advisor.domain.model import Model, Shape
from advisor.domain.recommend import Candidate
from advisor.domain.speed import Speed
from advisor.units import format_bytes, format_milliseconds, format_rate

if TYPE_CHECKING:
    from advisor.domain.smoke import SmokeVerdict
    from advisor.domain.smoke_report import SmokeReport

VERDICT_MARKS = {
    "allowed": "✓ allowed",
    "allowed_with_obligations": "✓ with duties",
    "needs_separate_licence": "✗ separate licence",
    "forbidden": "✗ forbidden",
    "unknown": "? unknown",
}
"""Of a licence, for the described use."""
CHECK_MARKS = {True: "✓", False: "✗", None: "?"}
"""Of a point of a smoke test: it holds, it does not, it could not be judged."""
_SMOKE_WORDS = {"pass": "✓ passed", "warn": "! passed, but not as predicted", "fail": "✗ failed"}
BASIS_MARKS = {"engine": "", "measured": "", "calibrated": "≈", "estimated": "~", "published": ""}
"""A mark before a figure that nobody measured here."""


def reading_text(reading: Reading[Any], *, bytes_: bool = False) -> str:
    """The value, or `unknown` with the reason; never an empty cell."""
    value = reading.value
    if value is None:
        return f"unknown - {reading.reason or 'not reported'}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return format_bytes(value) if bytes_ else f"{value:g}" if isinstance(value, float) else str(value)


def machine_facts(machine: Machine) -> list[tuple[str, str]]:
    """The snapshot as names and values, hints included."""
    cpu, memory = machine.cpu, machine.memory
    facts = [
        ("system", f"{'simulated, ' if machine.simulated else ''}{machine.platform}"),
        ("processor", reading_text(cpu.name)),
        ("cores", _cores(machine)),
        ("instruction sets", reading_text(cpu.instruction_sets)),
        ("memory", reading_text(memory.total_bytes, bytes_=True)),
        ("memory available", reading_text(memory.available_bytes, bytes_=True)),
    ]
    if memory.limit_bytes.value is not None:
        limit = memory.limit_bytes
        facts.append(("memory limit", f"{reading_text(limit, bytes_=True)} ({limit.source})"))
    facts += _gpu_facts(machine)
    facts += [
        ("llama-cpp-python", reading_text(machine.engine.version)),
        ("GPU offload in it", reading_text(machine.engine.gpu_offload)),
        ("devices it can use", _devices(machine)),
        ("free disk", reading_text(machine.disk_free_bytes, bytes_=True)),
    ]
    for finding in machine.findings:
        facts.append((finding.level, finding.text + (f" {finding.hint}" if finding.hint else "")))
    return facts


FLEET_COLUMNS = ("node", "platform", "processor", "cores", "memory", "memory available", "GPUs", "llama-cpp-python")
FLEET_NUMERIC = (4, 5)


def fleet_rows(fleet: Fleet) -> list[tuple[str, ...]]:
    """The machines of a fleet as cells under FLEET_COLUMNS."""
    return [_fleet_row(node.name, node.machine) for node in fleet.nodes]


def _fleet_row(name: str, machine: Machine) -> tuple[str, ...]:
    memory = machine.memory
    total = reading_text(memory.total_bytes, bytes_=True)
    if memory.limit_bytes.value is not None:
        total = f"{reading_text(memory.limit_bytes, bytes_=True)} of {total}"
    return (
        name,
        machine.platform,
        reading_text(machine.cpu.name),
        reading_text(machine.cpu.physical_cores),
        total,
        reading_text(memory.available_bytes, bytes_=True),
        "; ".join(text for _, text in _gpu_facts(machine)),
        reading_text(machine.engine.version),
    )


def _cores(machine: Machine) -> str:
    cpu = machine.cpu
    kinds = ((cpu.physical_cores, "physical"), (cpu.logical_cores, "logical"), (cpu.usable_cores, "usable"))
    return ", ".join(_named_reading(reading, name) for reading, name in kinds)


def _named_reading(reading: Reading[Any], name: str, *, bytes_: bool = False) -> str:
    """`8.00 GiB free`, or `free unknown - why`: the reason stands behind what it is about."""
    text = reading_text(reading, bytes_=bytes_)
    return f"{name} {text}" if reading.value is None else f"{text} {name}"


def _gpu_facts(machine: Machine) -> list[tuple[str, str]]:
    if not machine.gpus:
        query = machine.gpu_query
        text = "none" if query.value == 0 else reading_text(query)
        return [("GPU", text + (f". {query.hint}" if query.hint and query.value is None else ""))]
    facts = []
    for gpu in machine.gpus:
        total, free = reading_text(gpu.total_bytes, bytes_=True), _named_reading(gpu.free_bytes, "free", bytes_=True)
        shared = ", memory shared with the system" if gpu.unified_memory else ""
        facts.append((f"GPU {gpu.index}", f"{reading_text(gpu.name)}: {total}, {free}{shared}"))
        if gpu.driver.value is not None:
            facts.append((f"GPU {gpu.index} driver", reading_text(gpu.driver)))
    return facts


def _devices(machine: Machine) -> str:
    devices = machine.engine.devices
    if devices.value is None:
        return reading_text(devices)
    return ", ".join(f"{d.name} ({d.description})" for d in devices.value) or "none"


def speed_text(speed: Speed | None, beside: float | None = None) -> str:
    """Decode speed in short, with a mark where it is an estimate, and digits that tell it from another speed."""
    if speed is None:
        return "unknown"
    return f"{BASIS_MARKS[speed.basis.value]}{format_rate(speed.decode_tokens_per_s, beside)}"


def ranking_row(rank: int, candidate: Candidate) -> tuple[str, ...]:
    """Rank, model, quantization, memory, speed, licence, quality, score."""
    return (
        str(rank),
        candidate.model.id,
        candidate.quantization.name,
        format_bytes(candidate.fit.footprint.total_bytes),
        speed_text(candidate.speed),
        VERDICT_MARKS[candidate.licence.verdict.value],
        f"{candidate.rating.score:.2f}",
        f"{candidate.score.total:.3f}",
    )


OVERLAY_MARK = "from your overlay"
"""Said of an entry that the user made and no release of this program vouches for."""


def overlay_text(model: Model) -> str | None:
    """Where an entry of the user stands and what it builds on; None for what ships."""
    if model.overlay is None:
        return None
    if model.base == model.id:
        return f"{OVERLAY_MARK}, over the shipped entry: {model.overlay}"
    return f"{OVERLAY_MARK}{f', built on {model.base}' if model.base else ''}: {model.overlay}"


def model_facts(model: Model, names: LanguageNames = NO_NAMES) -> list[tuple[str, str, str]]:
    """Field, value and source of everything known about a model."""
    shape = model.shape
    fields: list[tuple[str, str, str]] = [
        ("name", model.name, "name"),
        ("hf_id", model.hf_id, "hf_id"),
        ("family", f"{model.family} / {model.line}", "line"),
        ("released", model.release_date or "unknown", "release_date"),
        ("status", _status(model), "status"),
        ("parameters", _count(model.total_params), "total_params"),
        ("active parameters", _count(model.active_params), "active_params"),
        ("context", f"{model.max_context_tokens:,} tokens" if model.max_context_tokens else "unknown",
         "max_context_tokens"),
        ("licence", model.licence, "licence"),
        ("languages", _languages(model, names), "languages"),
        *_other_languages(model, names),
        ("modalities", ", ".join(model.modalities), "modalities"),
    ]  # fmt: skip
    if shape is not None:
        fields += [(f"shape.{key}", value, f"shape.{key}") for key, value in _shape_fields(shape)]
    else:
        fields.append(("shape", f"unknown - {model.shape_reason}", "shape"))
    rows = [(name, value, _source(model, key)) for name, value, key in fields]
    mine = overlay_text(model)
    if mine is not None:
        rows.insert(0, ("entry", mine, ""))
    rows += [(f"benchmark {b.name}", f"{b.score:g}" + (f" ({b.setting})" if b.setting else ""), b.source)
             for b in model.benchmarks]  # fmt: skip
    rows += [("ecosystem", fact.text, fact.source) for fact in model.ecosystem.facts]
    return rows + [("note", note, "") for note in model.notes]


def _source(model: Model, key: str) -> str:
    found = model.provenance.get(key)
    if found is None:
        return ""
    note = f" {found.note}" if found.note else ""
    return f"{found.source} (checked {found.checked}){note}"


def _status(model: Model) -> str:
    return f"superseded by {model.superseded_by}" if model.superseded_by else model.status


def _count(n: int | None) -> str:
    return "unknown" if n is None else f"{n:,}"


def _languages(model: Model, names: LanguageNames) -> str:
    languages = model.languages
    if languages.supported is None:
        return f"unknown - {languages.reason or 'the card does not say'}"
    return _named(languages.supported, names)


def _other_languages(model: Model, names: LanguageNames) -> list[tuple[str, str, str]]:
    lists = model.languages.by_modality.items()
    return [(f"languages with {key}", _named(tags, names), f"languages_by_modality.{key}") for key, tags in lists]


def _named(tags: tuple[str, ...], names: LanguageNames) -> str:
    return ", ".join(tag if names.words(tag) == tag else f"{tag} {names.words(tag)}" for tag in tags)


def _shape_fields(shape: Shape) -> list[tuple[str, str]]:
    simple = ("architecture", "n_layers", "hidden_size", "n_heads", "n_kv_heads", "head_dim", "ffn_size", "vocab_size")
    fields = [(key, str(getattr(shape, key))) for key in simple]
    fields.append(("tied_embeddings", "yes" if shape.tied_embeddings else "no"))
    if shape.experts:
        fields.append(("experts", f"{shape.experts.n_used} of {shape.experts.n_total} used per token"))
    if shape.window:
        fields.append(("window", f"{shape.window.kind} {shape.window.tokens:,} tokens"))
    return fields


def smoke_verdict_text(verdict: SmokeVerdict) -> str:
    """How a smoke test went. A run that nothing speaks against but other programs beside it is no deviation from the
    prediction."""
    failed = {check.id for check in verdict.checks if check.passed is False}
    return "! ran, but this machine was too busy to judge it" if failed == {"quiet"} else _SMOKE_WORDS[verdict.verdict]


def smoke_facts(report: SmokeReport) -> list[tuple[str, str]]:
    """A smoke test as names and values."""
    measured = report.measurement
    what = f"file {report.file}" if report.file else "random weights in the model's true shape, no quality check"
    facts = [("subject", report.subject), ("weights", what), ("verdict", smoke_verdict_text(report.verdict))]
    facts += [("check", f"{CHECK_MARKS[c.passed]} {c.text}") for c in report.verdict.checks]
    if measured.load_ms is not None:
        facts.append(("load", format_milliseconds(measured.load_ms)))
    if measured.full_ttft_ms is not None:
        prompt = f" for {measured.prompt_tokens} tokens"
        facts.append(("first token", format_milliseconds(measured.full_ttft_ms) + prompt))
    if measured.prefill_tokens_per_s is not None:
        interval = _interval(measured.prefill_low, measured.prefill_high)
        facts.append(("prefill", format_rate(measured.prefill_tokens_per_s) + interval))
    if measured.full_decode_tokens_per_s is not None:
        interval = _interval(measured.decode_low, measured.decode_high)
        facts.append(("decode", format_rate(measured.full_decode_tokens_per_s) + interval))
    if measured.peak_bytes is not None:
        facts.append(("peak memory", format_bytes(measured.peak_bytes)))
    facts += [("answer", text) for text in measured.texts]
    return facts + [("try next", s.text + (f": {s.command}" if s.command else "")) for s in report.next_steps]


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"
