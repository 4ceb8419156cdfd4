"""What a report says: the recommendation file in sections, every figure with its basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advisor.export.recommendation_schema import AlternativeTable, PickTable, QualityTable, RecommendationFile
from advisor.export.report.blocks import Block, Chart, Facts, Grid, Points, Report, Section
from advisor.export.report.licence_part import licence_section
from advisor.export.report.machine_part import capacity_of, machine_rows
from advisor.export.report.memory_chart import DeviceMemory, memory_chart, memory_text
from advisor.export.report.trade_chart import Choice, trade_chart, trade_text
from advisor.export.words import BASIS_WORDS, VERDICT_WORDS
from advisor.units import counted, format_bytes, format_figure, format_milliseconds, format_rate

_SUPPORT_WORDS = {
    "supported": "✓ supported, says the model card",
    "not_claimed": "✗ not claimed by the model card",
    "unknown": "? unknown - nobody sourced it",
}
_HUB = "https://huggingface.co/"
_MOST_TOKENS_PER_S = 1e6
"""Beyond it a speed that was asked for is not drawn: nothing is as fast."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recommendation file as it was read."""

    file: RecommendationFile
    sha256: str
    """Of the file's bytes, by which the report names what it was made from."""
    name: str
    """Of the report's files, without an ending."""


def report_of(recorded: Recorded) -> Report:
    """The report. The same file gives the same report, byte for byte."""
    file = recorded.file
    pick = file.recommendation
    sections = (
        _pick_section(pick),
        _score_section(pick),
        _memory_section(file),
        _trade_section(file),
        licence_section(pick.licence),
        _language_section(pick),
        _load_section(file),
        _cautions_section(pick),
        _smoke_section(file),
        _rejected_section(file),
        Section("Machine", [Grid(("what", "value", "read from"), machine_rows(file.machine)), *_findings(file)]),
        Section("What was asked", [Facts(_answers(file.constraints))]),
        _origin_section(recorded),
    )
    return Report(
        title=f"{pick.model} in {pick.quantization}",
        summary=_summary(file),
        badge="Simulated machine: nothing here was probed or timed." if file.machine.simulated else None,
        sections=[section for section in sections if section.blocks],
    )


def _summary(file: RecommendationFile) -> list[str]:
    pick = file.recommendation
    where = "on the simulated machine below" if file.machine.simulated else "on the machine below"
    lines = [f"Run {pick.hf_id} in {pick.quantization} {where}. It takes {format_bytes(pick.footprint.total_bytes)}."]
    speed = pick.speed
    if speed is None:
        lines.append("Its speed is unknown: no memory bandwidth is known for a device of this machine.")
    else:
        lines.append(
            f"It writes {format_rate(speed.decode_tokens_per_s)} ({speed.basis.value}, likely between {speed.low:.1f} "
            f"and {speed.high:.1f}) and starts to answer after {format_milliseconds(speed.ttft_ms)}."
        )
    verdict = VERDICT_WORDS[pick.licence.verdict]
    return [*lines, f"Licence {pick.licence.licence}: {verdict}. A reading, not legal advice."]


def _pick_section(pick: PickTable) -> Section:
    place, speed = pick.placement, pick.speed
    rows = [
        ("model", pick.model),
        ("weights", _HUB + pick.hf_id),
        ("quantization", pick.quantization),
        ("memory", f"{format_bytes(pick.footprint.total_bytes)}, {_basis(pick.footprint.basis)}"),
        (
            "context",
            f"{place.context_tokens:,} tokens for {counted(place.parallel, 'request')} at once",
        ),
        ("layers on GPU", _layers(pick)),
        ("KV cache", place.kv_type),
    ]
    if speed is not None:
        rows += [
            ("decode", f"{format_rate(speed.decode_tokens_per_s)} at {speed.depth_tokens:,} tokens of context"),
            ("prompt", format_rate(speed.prefill_tokens_per_s)),
            ("first token", f"after {format_milliseconds(speed.ttft_ms)} for {speed.prompt_tokens:,} tokens"),
            ("speed is", _basis(speed.basis)),
        ]
    rows.append(("expected quality", _quality(pick.quality)))
    return Section("The pick", [Facts(rows)])


def _quality(quality: QualityTable) -> str:
    """The score with its interval, and what it rests on."""
    interval = f"{quality.score:.2f}, likely between {quality.low:.2f} and {quality.high:.2f}"
    results = counted(quality.results, "published result")
    if quality.ground == "trial":
        tasks = counted(quality.tried_tasks or 0, "task")
        return f"{interval}; from your trial of {tasks}, beside {results}"
    return f"{interval}; from {results}, {quality.task_results} of them for this task"


def _basis(basis: str) -> str:
    return f"{basis}: {BASIS_WORDS[basis]}"


def _layers(pick: PickTable) -> str:
    place = pick.placement
    if not place.n_gpu_layers:
        return "none, all on the processor"
    shares = " + ".join(map(str, place.gpu_layers))
    experts = ", routed experts in system memory" if place.experts_in_ram else ""
    return f"{place.n_gpu_layers} ({shares} repeated layers and the output){experts}"


def _score_section(pick: PickTable) -> Section:
    rows = [
        (t.criterion, f"{t.value:.2f}", f"{t.weight:.2f}", f"{t.value * t.weight:.3f}", t.why) for t in pick.score.terms
    ]
    rows.append(("sum", "", "", f"{pick.score.total:.3f}", ""))
    grid = Grid(("criterion", "value", "weight", "value × weight", "because"), rows, frozenset({1, 2, 3}))
    return Section(
        "Why it comes first", [grid], "Everything excluded is listed below; among the rest this sum decides."
    )


def _memory_section(file: RecommendationFile) -> Section:
    devices = [
        DeviceMemory(
            d.name,
            d.weights_bytes,
            d.kv_cache_bytes,
            d.compute_bytes + d.output_bytes,
            capacity_of(file.machine, d.name),
        )
        for d in file.recommendation.footprint.devices
    ]
    devices = [device for device in devices if device.used]
    rows = [(d.name, *(format_bytes(n) for n in (*d.parts, d.used)), _capacity(d)) for d in devices]
    columns = ("device", "weights", "KV cache", "compute and output", "in all", "device has")
    chart = Chart("memory", memory_chart(devices), memory_text(devices))
    return Section("Memory", [chart, Grid(columns, rows, frozenset(range(1, 6)))])


def _capacity(device: DeviceMemory) -> str:
    return "unknown" if device.capacity is None else format_bytes(device.capacity)


def _trade_section(file: RecommendationFile) -> Section:
    pick = file.recommendation
    first = AlternativeTable(
        model=pick.model,
        quantization=pick.quantization,
        total_bytes=pick.footprint.total_bytes,
        decode_tokens_per_s=None if pick.speed is None else pick.speed.decode_tokens_per_s,
        licence=pick.licence.verdict,
        quality=pick.quality.score,
        score=pick.score.total,
        pareto=pick.pareto,
    )
    ranked = [first, *file.alternatives]
    choices = [
        Choice(i, f"{c.model} {c.quantization}", c.decode_tokens_per_s, c.quality, c.total_bytes)
        for i, c in enumerate(ranked, start=1)
        if c.decode_tokens_per_s
    ]
    rows = [_ranked_row(i, c) for i, c in enumerate(ranked, start=1)]
    columns = ("#", "model", "quantization", "memory", "speed", "quality", "licence", "score")
    blocks: list[Block] = [Grid(columns, rows, frozenset({0, 3, 4, 5, 7}))]
    if len(choices) > 1:
        target = _speed(file.constraints.get("latency", {}).get("tokens_per_s"))
        blocks.insert(0, Chart("quality-speed", trade_chart(choices, target), trade_text(choices)))
    intro = (
        "The pick and what came next. The line joins those that no other beats in both quality and speed. The order is "
        "by score, which counts quality by the lower end of its interval, and licence, headroom and ecosystem too."
    )
    return Section("Quality against speed", blocks, intro)


def _ranked_row(rank: int, c: AlternativeTable) -> tuple[str, ...]:
    rate = "unknown" if c.decode_tokens_per_s is None else format_rate(c.decode_tokens_per_s)
    memory, verdict = format_bytes(c.total_bytes), c.licence.value.replace("_", " ")
    return str(rank), c.model, c.quantization, memory, rate, f"{c.quality:.2f}", verdict, f"{c.score:.3f}"


def _speed(value: object) -> float | None:
    """A speed that was asked for; the answers of a file are not checked, so that anything may stand there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _MOST_TOKENS_PER_S else None


def _language_section(pick: PickTable) -> Section:
    asked = [(tag, s, "required") for tag, s in pick.languages.required.items()]
    asked += [(tag, s, "preferred") for tag, s in pick.languages.preferred.items()]
    grid = Grid(("language", "asked as", "support"), [(tag, wish, _SUPPORT_WORDS[s]) for tag, s, wish in asked])
    return Section("Languages", [grid] if asked else [])


def _load_section(file: RecommendationFile) -> Section:
    plan = file.plan
    rows = [
        ("requests", f"{format_figure(plan.requests_per_s)} per second"),
        ("in flight on average", format_figure(plan.requests_in_flight, 2)),
        ("slots to provide", str(plan.slots)),
    ]
    if plan.replicas is not None:
        share = "" if plan.utilisation is None else f", busy {plan.utilisation:.0%} of the time"
        rows.append(("copies of this machine", f"{plan.replicas}{share}"))
    if plan.basis is not None:
        rows.append(("basis", _basis(plan.basis)))
    if plan.note:
        rows.append(("note", plan.note))
    return Section("For your users", [Facts(rows)])


def _cautions_section(pick: PickTable) -> Section:
    assumed = [] if pick.speed is None else [f"taken for granted: {text}" for text in pick.speed.assumed]
    lines = [*pick.warnings, *assumed]
    return Section("Take note", [Points("Before you rely on it", lines)] if lines else [])


def _findings(file: RecommendationFile) -> list[Block]:
    lines = [f.text + (f" {f.hint}" if f.hint else "") for f in file.machine.findings]
    return [Points("Found on it", lines)] if lines else []


def _smoke_section(file: RecommendationFile) -> Section:
    return Section("Smoke test", [] if file.smoke is None else [Facts(_answers({"": file.smoke}))])


def _rejected_section(file: RecommendationFile) -> Section:
    rows = [
        (
            f"{r.model} {r.quantization or ''}".strip(),
            "; ".join(reason.text for reason in r.reasons),
            "; ".join(reason.fix for reason in r.reasons if reason.fix) or "nothing that you could set",
        )
        for r in file.rejected
    ]
    intro = f"{counted(len(rows), 'model')}, what misses least first."
    columns = ("model", "reason", "smallest change that would admit it")
    return Section("Excluded", [Grid(columns, rows)] if rows else [], intro)


def _answers(tables: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as dotted names and text."""
    rows: list[tuple[str, str]] = []
    for key, value in tables.items():
        name = f"{prefix}.{key}".strip(".")
        if isinstance(value, Mapping):
            rows += _answers(value, name)
        elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
            for i, part in enumerate(value, start=1):
                rows += _answers(part if isinstance(part, Mapping) else {"": part}, f"{name}.{i}")
        else:
            rows.append((name, _plain(value)))
    return rows


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _origin_section(recorded: Recorded) -> Section:
    file = recorded.file
    rows = [
        ("made", file.created),
        ("llm-advisor", file.tool_version),
        ("llama-cpp-python", file.engine_version or "unknown"),
        ("catalogue", file.catalogue.version),
        ("catalogue sha256", file.catalogue.sha256),
        ("recommendation sha256", recorded.sha256),
        ("still true here?", "llm-advisor verify FILE.toml"),
        ("on the recorded machine", "llm-advisor verify FILE.toml --recorded-machine"),
    ]
    return Section("Where this comes from", [Facts(rows)])
