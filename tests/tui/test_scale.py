"""The Scale screen: what it draws, says, chooses and stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import Static

from advisor.domain.capacity.load import traffic_of
from advisor.domain.capacity.plan import Plans, ServingPlan, Size
from advisor.domain.capacity.replica import Refusal, Replica
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.sweep import Curve, Point, Sweep
from advisor.domain.capacity.targets import Capacity, Metrics, Spread, targets_of
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.errors import AdvisorError, NoCandidateError
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.scale import ScaleScreen
from advisor.tui.widgets.curves_canvas import Line, Plot, draw_curves, short
from advisor.units import GIB
from tests.builders import constraints
from tests.domain.capacity.making import subject, toy_costs
from tests.tui.driving import Drive, press, started, text_of, until
from tests.tui.pinned import PinnedAdvisor

NEEDS = constraints(scale__users=300, latency__ttft_ms=2000)
SPREAD = Spread(0.2, 0.6, 2.1, 0.6)
REPLICA = Replica(
    engine="llama.cpp", place="this machine", quantization="Q4_K_M", tensor_parallel=1, pipeline_parallel=1,
    context_tokens=8192, costs=toy_costs(token_s=0.01), limits=Limits(16, None, 2048), slots_by="memory",
    weights_bytes=12 * GIB, cache_bytes=20 * GIB, read_s=0.01,
)  # fmt: skip
PLAN = ServingPlan(
    replica=REPLICA,
    node=None,
    capacity=Capacity(1.34, 2.12, "kv_memory", 0.19, 0.02),
    needed=1,
    per_machine=1,
    gpus_per_machine=1,
    metrics=Metrics(SPREAD, SPREAD, Spread(0.02, 0.03, 0.04, 0.03), 7.0, 300.0, 0.59, 0.9, 16, 9.2, 0.1, 10_000),
    wait_bound_s=0.1,
    growth=tuple(Size(factor, factor + 1, factor + 1, factor + 1, None) for factor in (1, 2, 5, 10)),
    one_machine_requests_per_s=1.34,
)


def curve(name: str, most: int, *, served: bool = True) -> Curve:
    """Seconds that double with each step beyond what is carried."""
    refusal = Refusal("llama.cpp", "this machine", "ttft_floor", "no first token within 2.0 s: a prompt takes 30.8 s")
    if not served:
        return Curve(name, name.title(), "Q4_K_M", (), 0, Plans(subject(), (), (refusal,)))
    loads = [max(1, most // 50), max(2, most // 10), most // 2, most, round(1.25 * most), 2 * most]
    seconds = (0.2, 0.2, 0.35, 1.6, 20.0, 90.0)
    points = tuple(Point(n, s, 0.02 + s / 100, s <= 2.0) for n, s in zip(loads, seconds, strict=True))
    asked = subject(scale__users=300, latency__ttft_ms=2000)
    return Curve(name, name.title(), "Q4_K_M", points, most, Plans(asked, (PLAN,), ()))


CURVES = (curve("example small", 320), curve("example llama", 350), curve("example tiny", 1200))


class ScalingAdvisor(PinnedAdvisor):
    """Answers with given curves, one after the other."""

    def __init__(self, curves: tuple[Curve, ...] = CURVES) -> None:
        super().__init__()
        self.curves = curves
        self.error: AdvisorError | None = None
        self.held: threading.Event | None = None
        self.stopped = threading.Event()

    def sweep(self, machine: Machine, constraints: Constraints, **channels: Any) -> Sweep:
        found = Sweep(traffic_of(NEEDS), targets_of(NEEDS), ())
        for i in range(len(self.curves)):
            found = Sweep(found.traffic, found.targets, self.curves[: i + 1])
            channels["on_curve"](found)
            while self.held is not None and not self.held.wait(0.01):
                try:
                    channels["before_each"]()
                except Exception:
                    self.stopped.set()
                    raise
        if self.error is not None:
            raise self.error
        return found


def screen_of(app: AdvisorApp) -> ScaleScreen:
    assert isinstance(app.screen, ScaleScreen)
    return app.screen


async def test_the_curves_are_numbered_and_the_plan_of_the_first_stands_beside() -> None:
    async with started(ScalingAdvisor(), "3", "l") as (app, pilot):
        await until(pilot, lambda: "3 Example Tiny" in text_of(app))
        text = text_of(app)
        assert "Scale: users against first token, p95, llama.cpp on this machine" in text
        assert "at most 2.0 s" in text
        assert "300 asked" in text
        assert "✗1" in text
        assert "✗3" in text
        assert "breaks first: memory for the KV cache" in " ".join(text.split())


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_the_arrows_choose_a_curve_whether_or_not_the_plan_has_to_scroll(size: tuple[int, int]) -> None:
    async with started(ScalingAdvisor(), "3", "l", size=size) as (app, pilot):
        await until(pilot, lambda: "3 Example Tiny" in text_of(app))
        await press(pilot, "pagedown", "down")
        assert "▸ 2 Example Llama" in text_of(app)
        await press(pilot, "up", "up")
        assert "▸ 3 Example Tiny" in text_of(app)
        keys = app.screen.query_one("#scale-keys", Static)
        assert cell_len(str(keys.content)) <= keys.content_size.width


async def test_the_arrows_choose_a_curve_and_t_shows_the_time_per_token() -> None:
    async with started(ScalingAdvisor(), "3", "l") as (app, pilot):
        await until(pilot, lambda: "3 Example Tiny" in text_of(app))
        await press(pilot, "down")
        assert "▸ 2 Example Llama" in text_of(app)
        await press(pilot, "up", "up")
        assert "▸ 3 Example Tiny" in text_of(app)
        await press(pilot, "t")
        assert "against time per token" in text_of(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, ScaleScreen)


async def test_a_model_that_cannot_be_served_says_why_in_place_of_a_curve() -> None:
    advisor = ScalingAdvisor((curve("example small", 0, served=False),))
    async with started(advisor, "3", "l") as (app, pilot):
        await until(pilot, lambda: "✗ not here" in text_of(app))
        assert "a prompt takes 30.8 s" in " ".join(text_of(app).replace("│", " ").split())


async def test_an_error_is_said_on_the_screen() -> None:
    advisor = ScalingAdvisor(())
    advisor.error = NoCandidateError("no model passes on this machine, so there is none to plan for")
    async with started(advisor, "3", "l") as (app, pilot):
        await until(pilot, lambda: "✗ no model passes" in " ".join(text_of(app).split()))


async def test_leaving_stops_the_work() -> None:
    advisor = ScalingAdvisor()
    advisor.held = threading.Event()
    async with started(advisor, "3", "l") as (app, pilot):
        await until(pilot, lambda: "1 of at most 4 curves" in text_of(app))
        await press(pilot, "escape")
        await until(pilot, advisor.stopped.is_set)


async def test_a_small_terminal_says_what_is_missing_and_gives_the_figures_in_words() -> None:
    async with started(ScalingAdvisor(), "3", "l", size=(40, 12)) as (app, pilot):
        await until(pilot, lambda: "need 60 × 18 cells" in text_of(app))
        await until(pilot, lambda: "up to 320" in " ".join(text_of(app).split()))


def _shown(pilot: Drive, shows: str) -> Callable[[], bool]:
    return lambda: isinstance(pilot.app, AdvisorApp) and shows in text_of(pilot.app)


def _after(*keys: str, shows: str) -> Callable[[Drive], object]:
    async def run(pilot: Drive) -> None:
        app = pilot.app
        assert isinstance(app, AdvisorApp)
        await until(pilot, lambda: app.session.found is not None)
        await press(pilot, *keys)
        await until(pilot, _shown(pilot, shows))

    return run


@pytest.mark.parametrize(
    ("size", "keys", "shows"),
    [
        pytest.param((120, 36), ("3", "l"), "3 Example Tiny", id="scale"),
        pytest.param((80, 24), ("3", "l"), "3 Example Tiny", id="scale-small"),
        pytest.param((40, 12), ("3", "l"), "need 60", id="scale-tiny"),
    ],
)
def test_picture_of_scale(
    snap_compare: Callable[..., bool], size: tuple[int, int], keys: tuple[str, ...], shows: str
) -> None:
    app = AdvisorApp(ScalingAdvisor(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=size, run_before=_after(*keys, shows=shows))


def test_picture_of_scale_without_colour(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = AdvisorApp(ScalingAdvisor(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=(80, 24), run_before=_after("3", "l", shows="3 Example Tiny"))


def rows(plot: Plot, width: int = 70, height: int = 16) -> list[str]:
    return ["".join(row) for row in draw_curves(plot, width, height).rows]


def test_curves_that_break_in_one_place_are_listed_there() -> None:
    points = ((10, 0.2, True), (100, 1.5, True), (200, 30.0, False))
    lines = tuple(Line(str(i), points, 100) for i in (1, 2, 3))
    drawn = rows(Plot(lines, 0, 2.0, 150, "users, log →", "↑ first token, log"))
    assert any("✗1,2,3" in row for row in drawn)
    assert any("123" in row for row in drawn)


def test_every_size_is_drawn_without_leaving_the_field() -> None:
    points = ((1, 0.2, True), (50, 1.0, True), (90, 400.0, False))
    lines = (Line("1", points, 50), Line("2", points, 50))
    for width in (0, 1, 5, 20, 60, 200):
        for height in (0, 1, 2, 5, 12, 50):
            drawn = rows(Plot(lines, 0, 2.0, 1_000_000, "users", "↑"), width, height)
            assert len(drawn) == height
            assert {len(row) for row in drawn} <= {width}


def test_no_point_draws_nothing() -> None:
    assert set("".join(rows(Plot((Line("1", (), 0),), 0, 2.0, 300, "users", "↑")))) == {" "}


def test_loads_are_written_short() -> None:
    assert [short(n) for n in (1, 500, 1000, 20_000, 5_000_000)] == ["1", "500", "1k", "20k", "5M"]
