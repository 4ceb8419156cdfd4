"""Pictures of the reacting form and of What if. Figures are pinned, so a picture changes only when a screen does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from advisor.domain.exclusions import Exclusion
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.hardware_options import Hardware, HardwareAnswer, HardwareOption
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.tui.app import AdvisorApp
from advisor.units import GIB
from tests.builders import RTX_4090
from tests.tui.driving import Drive, at_rest, press, text_of, until
from tests.tui.pinned import RANKED, REJECTED, PinnedAdvisor

Compare = Callable[..., bool]
LARGE, SMALL = (120, 36), (80, 24)


class Counting(PinnedAdvisor):
    """Exclusions, hardware and idle questions are given, too."""

    @cached_property
    def gpu_specs(self) -> tuple[GpuSpec, ...]:
        return (RTX_4090,)

    def exclusions(
        self, found: Recommendation, answers: Mapping[str, Answer], *_: Any, **__: Any
    ) -> Iterator[Exclusion]:
        yield Exclusion("use.commercial", frozenset(), frozenset("abc"))
        yield Exclusion("languages.required", frozenset("defgh"), frozenset("ab"))
        yield Exclusion("latency.tokens_per_s", frozenset("xy"), frozenset())

    def idle_questions(self, machine: Machine, constraints: Any) -> frozenset[str]:
        return frozenset({"machine.reserve_vram", "use.eu_based", "use.train_other_models"})

    def hardware_for(self, *_: Any, **__: Any) -> HardwareAnswer:
        options = (
            HardwareOption(Hardware(ram_bytes=48 * GIB), RANKED[0]),
            HardwareOption(Hardware(RTX_4090), RANKED[2]),
            HardwareOption(Hardware(RTX_4090, 2), RANKED[1]),
        )
        return HardwareAnswer(REJECTED[0].model, None, (), options, 40)


def _after(*keys: str, shows: str) -> Callable[[Drive], object]:
    async def run(pilot: Drive) -> None:
        app = pilot.app
        assert isinstance(app, AdvisorApp)
        await until(pilot, lambda: bool(app.session.exclusions) and not app.session.is_counting)
        await press(pilot, *keys)
        await until(pilot, lambda: shows in text_of(app))
        await at_rest(pilot, 0.2)

    return run


@pytest.mark.parametrize(
    ("size", "keys", "shows"),
    [
        pytest.param(LARGE, ("2",), "excludes 5", id="needs-counts"),
        pytest.param(LARGE, ("2", "f"), "no effect now", id="needs-unfolded"),
        pytest.param(SMALL, ("2", "p"), "Fill the form for", id="presets-small"),
        pytest.param(LARGE, ("2", "i"), "2 × RTX 4090", id="what-if"),
        pytest.param(SMALL, ("2", "i"), "2 × RTX 4090", id="what-if-small"),
    ],
)
def test_picture(snap_compare: Compare, size: tuple[int, int], keys: tuple[str, ...], shows: str) -> None:
    app = AdvisorApp(Counting(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=size, run_before=_after(*keys, shows=shows))
