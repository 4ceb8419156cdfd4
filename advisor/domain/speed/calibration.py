"""One measurement scales the estimates of all other candidates on the same machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from advisor.domain.basis import Basis
from advisor.domain.speed.estimate import Speed
from advisor.values import value

CALIBRATED_SPREAD = 0.13
"""Four in five published rates lie within this share of the estimate once a rate of another model on the same device
has calibrated it (benchmarks/README.md)."""


@value
class Calibration:
    """Measured over estimated, in time."""

    decode: float
    prefill: float

    def apply(self, speed: Speed) -> Speed:
        """The estimate, scaled."""
        rate = speed.decode_tokens_per_s / self.decode
        return replace(
            speed,
            decode_tokens_per_s=rate,
            prefill_tokens_per_s=speed.prefill_tokens_per_s / self.prefill,
            ttft_ms=speed.ttft_ms * self.prefill,
            low=rate / (1 + CALIBRATED_SPREAD),
            high=rate * (1 + CALIBRATED_SPREAD),
            basis=Basis.CALIBRATED,
            # The measurement went through whatever had to be assumed.
            assumed=(),
        )


def calibration_of(measured: Speed, estimated: Speed) -> Calibration:
    """The factors between a measurement and the estimate of the same candidate."""
    return Calibration(
        decode=estimated.decode_tokens_per_s / measured.decode_tokens_per_s,
        prefill=estimated.prefill_tokens_per_s / measured.prefill_tokens_per_s,
    )


@value
class Timings:
    """What was timed on a machine: speeds by candidate and placement, and a calibration by kind of placement."""

    measured: Mapping[tuple[str, object], Speed] = field(default_factory=dict)
    """Key: the candidate's id and its placement."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """Key: `cpu`, `gpu` or `both`."""

    def at(self, prompt_tokens: int, depth_tokens: int) -> Timings:
        """What holds for a prompt and a depth: calibrations always do, a measured speed at its own figures only."""
        same = {
            key: speed
            for key, speed in self.measured.items()
            if (speed.prompt_tokens, speed.depth_tokens) == (prompt_tokens, depth_tokens)
        }
        return Timings(same, self.calibrations)

    def best(self, candidate_id: str, placement: object, kind: str, estimated: Speed | None) -> Speed | None:
        """The strongest figure: measured, else calibrated, else the estimate itself."""
        found = self.measured.get((candidate_id, placement))
        if found is not None:
            return found
        calibration = self.calibrations.get(kind)
        return estimated if estimated is None or calibration is None else calibration.apply(estimated)


NO_TIMINGS = Timings()
