"""Between a recommendation file and its verification: the record that is compared, and the outcome's document."""

from __future__ import annotations

from typing import Any

from advisor.domain.footprint import DeviceFootprint
from advisor.domain.speed import Speed
from advisor.domain.trial.evidence import Evidence, Tried
from advisor.domain.verification import RecordedPick, Verification
from advisor.export.machine_record import machine_from_record
from advisor.export.recommendation_schema import RecommendationFile, SpeedTable


def recorded_pick(file: RecommendationFile) -> RecordedPick:
    """What `advisor.domain.verification.verify` compares with the advice derived now."""
    pick = file.recommendation
    return RecordedPick(
        model=pick.model,
        quantization=pick.quantization,
        catalogue_version=file.catalogue.version,
        catalogue_sha256=file.catalogue.sha256,
        machine=machine_from_record(file.machine),
        devices=tuple(
            DeviceFootprint(d.name, d.weights_bytes, d.kv_cache_bytes, d.compute_bytes, d.output_bytes)
            for d in pick.footprint.devices
        ),
        speed=_speed(pick.speed),
        verdict=pick.licence.verdict,
        duties=tuple(duty.id for duty in pick.licence.obligations),
        languages={**pick.languages.preferred, **pick.languages.required},
    )


def recorded_trial(file: RecommendationFile) -> Evidence | None:
    """The trial that the recommendation rests on; None where it rests on none."""
    trial = file.request.trial
    if trial is None:
        return None
    tried = tuple(Tried(one.model, one.quantization, one.tasks, one.total) for one in trial.candidates)
    return Evidence(trial.tasks_name, trial.tasks_sha256, trial.result_sha256, tried)


def _speed(table: SpeedTable | None) -> Speed | None:
    if table is None:
        return None
    return Speed(
        decode_tokens_per_s=table.decode_tokens_per_s,
        prefill_tokens_per_s=table.prefill_tokens_per_s,
        ttft_ms=table.ttft_ms,
        low=table.low,
        high=table.high,
        depth_tokens=table.depth_tokens,
        prompt_tokens=table.prompt_tokens,
        basis=table.basis,
        assumed=tuple(table.assumed),
    )


def verification_document(verification: Verification) -> dict[str, Any]:
    """The outcome and every check, both sides in words."""
    return {
        "status": verification.status.value,
        "checks": [
            {"id": c.id, "status": c.status.value, "recorded": c.recorded, "current": c.current}
            for c in verification.checks
        ],
    }
