"""Plain documents of what the advisor found, for JSON, TOML and reports. Keys are the contract that other programs rely
on; bytes are integers, speeds tokens per second."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from advisor.domain.fit import Fit
from advisor.domain.footprint import Footprint
from advisor.domain.gates import Reason
from advisor.domain.hardware import EngineDevice, Machine, Reading
from advisor.domain.languages import LanguageFinding
from advisor.domain.licence import LicenceFinding
from advisor.domain.model import Model
from advisor.domain.quality import LEVEL, Rating
from advisor.domain.quality_words import ALTERNATIVES, close_calls
from advisor.domain.recommend import Candidate, Recommendation, Rejection
from advisor.domain.scoring import Score
from advisor.domain.speed import Speed
from advisor.domain.speed.latency import READING_TOKENS_PER_S, Latency, latency
from advisor.export.sensitivity import sensitivity_document
from advisor.export.traffic_documents import carried_part, plan_document

if TYPE_CHECKING:
    from advisor.domain.sizing import Sizing

SCHEMA_VERSION = 1

Document = dict[str, Any]


def reading_document(reading: Reading[Any]) -> Document:
    """A reading with its source, and the reason and hint where there is no value."""
    value = list(reading.value) if isinstance(reading.value, tuple) else reading.value
    found = {"value": value, "source": reading.source, "reason": reading.reason, "hint": reading.hint}
    return {key: part for key, part in found.items() if part is not None or key == "value"}


def machine_document(machine: Machine) -> Document:
    """The snapshot, every reading with its source."""
    cpu, memory, engine = machine.cpu, machine.memory, machine.engine
    devices = engine.devices.value
    return {
        "simulated": machine.simulated,
        "platform": machine.platform,
        "cpu": {
            "name": reading_document(cpu.name),
            "physical_cores": reading_document(cpu.physical_cores),
            "logical_cores": reading_document(cpu.logical_cores),
            "usable_cores": reading_document(cpu.usable_cores),
            "instruction_sets": reading_document(cpu.instruction_sets),
        },
        "memory": {
            "total_bytes": reading_document(memory.total_bytes),
            "available_bytes": reading_document(memory.available_bytes),
            "limit_bytes": reading_document(memory.limit_bytes),
            "bandwidth_bytes_per_s": memory.bandwidth_bytes_per_s,
        },
        "gpus": [_gpu_document(machine, i) for i in range(len(machine.gpus))],
        "gpu_query": reading_document(machine.gpu_query),
        "engine": {
            "version": reading_document(engine.version),
            "gpu_offload": reading_document(engine.gpu_offload),
            "system_info": reading_document(engine.system_info),
            "devices": {
                **reading_document(Reading(None, engine.devices.source, engine.devices.reason, engine.devices.hint)),
                "value": None if devices is None else [_device_document(device) for device in devices],
            },
        },
        "disk_free_bytes": reading_document(machine.disk_free_bytes),
        "findings": [{"level": f.level, "text": f.text, "hint": f.hint} for f in machine.findings],
    }


def _device_document(device: EngineDevice) -> Document:
    return {
        "name": device.name,
        "description": device.description,
        "kind": device.kind,
        "total_bytes": device.total_bytes,
        "free_bytes": device.free_bytes,
    }


def _gpu_document(machine: Machine, index: int) -> Document:
    gpu = machine.gpus[index]
    return {
        "index": gpu.index,
        "name": reading_document(gpu.name),
        "total_bytes": reading_document(gpu.total_bytes),
        "free_bytes": reading_document(gpu.free_bytes),
        "driver": reading_document(gpu.driver),
        "mig": reading_document(gpu.mig),
        "unified_memory": gpu.unified_memory,
        "bandwidth_bytes_per_s": gpu.bandwidth_bytes_per_s,
    }


def footprint_document(footprint: Footprint) -> Document:
    """Bytes in all and per device."""
    return {
        "basis": footprint.basis.value,
        "weights_bytes": footprint.model_bytes,
        "kv_cache_bytes": footprint.kv_cache_bytes,
        "compute_bytes": footprint.compute_bytes,
        "output_bytes": footprint.output_bytes,
        "total_bytes": footprint.total_bytes,
        "devices": [
            {
                "name": d.name,
                "weights_bytes": d.weights_bytes,
                "kv_cache_bytes": d.kv_cache_bytes,
                "compute_bytes": d.compute_bytes,
                "output_bytes": d.output_bytes,
            }
            for d in footprint.devices
        ],
    }


def placement_document(fit: Fit) -> Document:
    """What llama.cpp must be told."""
    p = fit.placement
    return {
        "n_gpu_layers": p.n_gpu_layers,
        "gpu_layers": list(p.gpu_layers),
        "experts_in_ram": p.experts_in_ram,
        "context_tokens": p.context_tokens,
        "parallel": p.parallel,
        "kv_type": p.kv_type,
        "flash_attention": p.flash_attention,
        "batch": p.batch,
        "ubatch": p.ubatch,
        "threads": p.threads,
    }


def speed_document(speed: Speed) -> Document:
    """Speeds with their interval and basis."""
    return {
        "basis": speed.basis.value,
        "decode_tokens_per_s": round(speed.decode_tokens_per_s, 3),
        "prefill_tokens_per_s": round(speed.prefill_tokens_per_s, 3),
        "ttft_ms": round(speed.ttft_ms, 1),
        "low": round(speed.low, 3),
        "high": round(speed.high, 3),
        "depth_tokens": speed.depth_tokens,
        "prompt_tokens": speed.prompt_tokens,
        "assumed": list(speed.assumed),
    }


def latency_document(waits: Latency, answer_tokens: int) -> Document:
    """Waits of one request that has the machine to itself, and its speed against reading."""
    return {
        "ttft_ms": round(waits.ttft_ms, 1),
        "answer_tokens": answer_tokens,
        "answer_ms": round(waits.answer_ms, 1),
        "reading_share": round(waits.reading_share, 3),
        "reading_tokens_per_s": round(READING_TOKENS_PER_S, 3),
    }


def licence_document(model: Model, finding: LicenceFinding) -> Document:
    """The verdict with duties and clauses, literal and conservative."""
    cautious = finding.conservative
    return {
        "model": model.id,
        "licence": finding.licence,
        "verdict": finding.verdict.value,
        "obligations": [_obligation(o.id, o.text, o.exact) for o in finding.obligations],
        "standing": [{"id": s.id, "text": s.text} for s in finding.standing],
        "conservative": {}
        if cautious is None
        else {
            "verdict": cautious.verdict.value,
            "obligations": [_obligation(o.id, o.text, o.exact) for o in cautious.obligations],
        },
        "clauses": [{"id": c.id, "text": c.text, "source": c.source} for c in finding.clauses],
        "reasons": list(finding.reasons),
        "open_points": [{"id": p.id, "text": p.text} for p in finding.open_points],
        "changes": list(finding.changes),
    }


def _obligation(obligation_id: str, text: str, exact: str | None) -> Document:
    return {"id": obligation_id, "text": text, **({"exact": exact} if exact else {})}


def languages_document(finding: LanguageFinding) -> Document:
    """What the card says on each language asked for."""
    return {
        "required": {tag: support.value for tag, support in finding.required.items()},
        "preferred": {tag: support.value for tag, support in finding.preferred.items()},
        "names": dict(finding.names),
    }


def rating_document(rating: Rating) -> Document:
    """Quality with its interval."""
    return {
        "basis": "measured" if rating.ground == "trial" else "published",
        "ground": rating.ground,
        "score": round(rating.score, 4),
        "interval": LEVEL,
        "low": round(rating.low, 4),
        "high": round(rating.high, 4),
        "results": rating.n_results,
        "task_results": rating.n_task_results,
        "quantization_loss_logits": round(rating.loss, 4),
        **({"tried_tasks": rating.n_tried} if rating.n_tried else {}),
        "notes": list(rating.notes),
    }


def score_document(score: Score) -> Document:
    """The whole and its terms."""
    return {
        "total": round(score.total, 4),
        "terms": [
            {"criterion": t.criterion, "value": round(t.value, 4), "weight": round(t.weight, 4), "why": t.why}
            for t in score.terms
        ],
    }


def candidate_document(candidate: Candidate) -> Document:
    """A candidate whole, as the recommendation carries it."""
    return {
        "model": candidate.model.id,
        "hf_id": candidate.model.hf_id,
        "quantization": candidate.quantization.name,
        "placement": placement_document(candidate.fit),
        "footprint": footprint_document(candidate.fit.footprint),
        "speed": speed_document(candidate.speed) if candidate.speed else None,
        "licence": licence_document(candidate.model, candidate.licence),
        "languages": languages_document(candidate.languages),
        "quality": rating_document(candidate.rating),
        "score": score_document(candidate.score),
        **carried_part(candidate),
        "basis": (candidate.speed.basis if candidate.speed else candidate.fit.footprint.basis).value,
        "pareto": candidate.on_front,
        "warnings": list(candidate.warnings),
    }


def pick_document(pick: Candidate, recommendation: Recommendation) -> Document:
    """The pick, with the alternatives whose quality cannot be told apart from its own."""
    answer_tokens = recommendation.constraints.scale.answer_tokens
    return {
        **candidate_document(pick),
        "latency": latency_document(latency(pick.speed, answer_tokens), answer_tokens) if pick.speed else None,
        "close_calls": list(close_calls(recommendation, pick)),
    }


def alternative_document(candidate: Candidate) -> Document:
    """An alternative in short."""
    return {
        "model": candidate.model.id,
        "quantization": candidate.quantization.name,
        "total_bytes": candidate.fit.footprint.total_bytes,
        "decode_tokens_per_s": round(candidate.speed.decode_tokens_per_s, 3) if candidate.speed else None,
        "licence": candidate.licence.verdict.value,
        "quality": round(candidate.rating.score, 4),
        "score": round(candidate.score.total, 4),
        **carried_part(candidate),
        "pareto": candidate.on_front,
    }


def front_document(candidate: Candidate) -> Document:
    """A candidate of the Pareto front with the three figures that put it there."""
    return {
        "model": candidate.model.id,
        "quantization": candidate.quantization.name,
        "quality_low": round(candidate.rating.low, 4),
        "decode_tokens_per_s": round(candidate.speed.decode_tokens_per_s, 3) if candidate.speed else None,
        "total_bytes": candidate.fit.footprint.total_bytes,
    }


def reason_document(reason: Reason) -> Document:
    """A reason with the change that would admit."""
    return {"code": reason.code, "text": reason.text, **({"fix": reason.fix} if reason.fix else {})}


def rejection_document(rejection: Rejection) -> Document:
    """An excluded model with its reasons."""
    quantization = {"quantization": rejection.quantization} if rejection.quantization else {}
    reasons = [reason_document(reason) for reason in rejection.reasons]
    return {"model": rejection.model.id, **quantization, "reasons": reasons}


def request_document(recommendation: Recommendation) -> Document:
    """What was asked beyond the constraints; a trial with the figures that it counts by, so that it can be replayed."""
    trial = recommendation.trial
    found: Document = {"models": list(recommendation.named), "quantization": recommendation.only_quantization}
    if trial is None:
        return found
    candidates = [
        {"model": one.model, "quantization": one.quantization, "tasks": one.n, "total": round(one.total, 6)}
        for one in trial.tried
    ]
    found["trial"] = {
        "tasks_name": trial.tasks_name,
        "tasks_sha256": trial.tasks_sha256,
        "result_sha256": trial.result_sha256,
        "candidates": candidates,
    }
    return found


def recommendation_document(recommendation: Recommendation, constraints: Document) -> Document:
    """Everything, under the contract's keys. `constraints` is the answers' document."""
    pick = recommendation.pick
    return {
        "schema_version": SCHEMA_VERSION,
        "machine": machine_document(recommendation.machine),
        "request": request_document(recommendation),
        "constraints": constraints,
        "recommendation": pick_document(pick, recommendation) if pick else None,
        "alternatives": [alternative_document(c) for c in recommendation.ranked[1 : 1 + ALTERNATIVES]],
        "rejected": [rejection_document(r) for r in recommendation.rejected],
        "plan": plan_document(recommendation),
        "sensitivity": sensitivity_document(recommendation.sensitivity) if recommendation.sensitivity else None,
        "pareto": [front_document(c) for c in recommendation.quantizations if c.on_front],
        "catalogue": {
            "version": recommendation.catalogue_version,
            "sha256": recommendation.catalogue_sha256,
        },
    }


def size_document(sizing: Sizing) -> Document:
    """A footprint under the contract's keys."""
    parts = footprint_document(sizing.footprint)
    return {
        "model": sizing.name,
        "quantization": sizing.quantization,
        "context_tokens": sizing.placement.context_tokens,
        **parts,
        "repacked_bytes": sizing.repacked_bytes,
        "n_gpu_layers": sizing.placement.n_gpu_layers,
        "gpu_layers": list(sizing.placement.gpu_layers),
        "experts_in_ram": sizing.placement.experts_in_ram,
        "ladder": None if sizing.ladder is None else asdict(sizing.ladder),
        "differences": list(sizing.differences),
        "notes": list(sizing.notes),
    }
