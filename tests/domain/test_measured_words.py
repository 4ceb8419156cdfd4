"""What Proof says of a measurement, also where its outcome excludes the model that was measured."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.basis import Basis
from advisor.domain.proof_words import measured_paragraphs
from advisor.domain.recommend import recommend
from advisor.domain.speed import Timings
from advisor.service import Advisor
from advisor.units import GIB
from tests.builders import constraints, machine


def test_a_model_that_is_too_slow_once_measured_keeps_its_figure_and_gets_the_reason() -> None:
    advisor, here, needs = Advisor(), machine(ram=64 * GIB), constraints(latency__tokens_per_s=5.0)
    first = recommend(here, needs, advisor.catalogue, advisor.figures(here))
    pick = first.pick
    assert pick is not None
    assert pick.speed is not None
    slow = replace(pick.speed, decode_tokens_per_s=1.5, low=1.4, high=1.6, basis=Basis.MEASURED)
    timings = Timings({(pick.id, pick.fit.placement): slow})
    again = recommend(here, needs, advisor.catalogue, advisor.figures(here), timings=timings)
    assert pick.id not in {c.id for c in again.quantizations}
    said = {p.title: p.lines for p in measured_paragraphs(again, {pick.id: pick.speed}, ())}
    figure, reason = said["Measured, and no longer among the picks"]
    assert figure.startswith(f"{pick.model.id} {pick.quantization.name}: 1.5 tok/s (1.4 to 1.6), measured; before ")
    assert reason.startswith(("  excluded", "  too slow in this quantization"))
