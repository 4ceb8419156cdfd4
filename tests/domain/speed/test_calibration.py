from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.domain.basis import Basis
from advisor.domain.placement import cpu_placement
from advisor.domain.speed import NO_TIMINGS, Timings, calibration_of, placement_kind
from advisor.units import GIB
from tests.builders import LLAMA_70B, model
from tests.domain.speed.placing import best_fit, best_speed


def test_a_calibration_carries_one_measurement_to_another_candidate() -> None:
    estimated, other = best_speed(model(), "Q4_K_M"), best_speed(model(), "Q8_0")
    measured = replace(
        estimated, decode_tokens_per_s=estimated.decode_tokens_per_s / 2, ttft_ms=1.0, basis=Basis.MEASURED
    )
    calibrated = calibration_of(measured, estimated).apply(other)
    assert calibrated.decode_tokens_per_s == pytest.approx(other.decode_tokens_per_s / 2)
    assert calibrated.low < calibrated.decode_tokens_per_s < calibrated.high
    assert calibrated.basis is Basis.CALIBRATED
    assert calibration_of(measured, estimated).apply(estimated).decode_tokens_per_s == pytest.approx(
        measured.decode_tokens_per_s
    )


def test_measured_beats_calibrated_beats_estimated() -> None:
    estimated, placement = best_speed(model(), "Q4_K_M"), cpu_placement(8192)
    measured = replace(estimated, decode_tokens_per_s=3.0, basis=Basis.MEASURED)
    timings = Timings({("a:Q4_K_M", placement): measured}, {"cpu": calibration_of(measured, estimated)})
    assert timings.best("a:Q4_K_M", placement, "cpu", estimated) is measured
    other = timings.best("b:Q4_K_M", placement, "cpu", estimated)
    assert other is not None
    assert other.basis is Basis.CALIBRATED
    assert timings.best("b:Q4_K_M", placement, "gpu", estimated) is estimated
    assert timings.best("b:Q4_K_M", placement, "cpu", None) is None
    assert NO_TIMINGS.best("a:Q4_K_M", placement, "cpu", estimated) is estimated


def test_a_measurement_holds_for_its_placement_only() -> None:
    estimated = best_speed(model(), "Q4_K_M")
    timings = Timings({("a", cpu_placement(8192)): replace(estimated, basis=Basis.MEASURED)})
    assert timings.best("a", cpu_placement(16384), "cpu", estimated) is estimated


def test_kinds_of_placement() -> None:
    assert placement_kind(best_fit(model(), "Q4_K_M").placement, 32) == "cpu"
    assert placement_kind(best_fit(model(), "Q4_K_M", 24 * GIB).placement, 32) == "gpu"
    assert placement_kind(best_fit(model(shape=LLAMA_70B), "Q4_K_M", 24 * GIB).placement, 80) == "both"
