"""Fleets of many machines that are alike: models are ranked once for each kind of machine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from advisor.domain.fleet import Fleet, FleetNode
from advisor.domain.recommend import Recommendation
from advisor.service import Advisor, fleets
from advisor.units import GIB
from tests.builders import constraints, machine


class Counting(Advisor):
    """Counts rankings; no placement is enough, and none takes a second."""

    n_ranked = 0

    def _place(self, *_arguments: Any) -> Any:
        return SimpleNamespace(is_enough=False, carried_requests_per_s=1.0)

    def recommend(self, *arguments: Any, **options: Any) -> Recommendation:
        self.n_ranked += 1
        return super().recommend(*arguments, **options)


@pytest.mark.parametrize(("most_tried", "n_ranked"), [(1, 1), (100, 2)])
def test_machines_that_are_alike_are_ranked_once_and_none_when_enough_were_tried(
    monkeypatch: pytest.MonkeyPatch, most_tried: int, n_ranked: int
) -> None:
    monkeypatch.setattr(fleets, "MOST_TRIED", most_tried)
    large, small = machine(ram=16 * GIB), machine(ram=8 * GIB)
    nodes = [FleetNode(f"large-{n}", large) for n in range(3)] + [FleetNode(f"small-{n}", small) for n in range(3)]
    advisor = Counting()
    advisor.recommend_on_fleet(Fleet("test", tuple(nodes), ()), constraints(), quantization="Q4_K_M")
    assert advisor.n_ranked == n_ranked
