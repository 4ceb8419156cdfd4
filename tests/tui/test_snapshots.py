"""Pictures of every place. Figures are pinned, so a picture changes only when a screen or a question does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.tui.app import AdvisorApp
from tests.tui.driving import Drive, press, text_of, until
from tests.tui.pinned import PinnedAdvisor

Compare = Callable[..., bool]


def _after(*keys: str, shows: str) -> Callable[[Drive], object]:
    async def run(pilot: Drive) -> None:
        app = pilot.app
        assert isinstance(app, AdvisorApp)
        await until(pilot, lambda: app.session.found is not None)
        await press(pilot, *keys)
        await until(pilot, lambda: shows in text_of(app))

    return run


LARGE, SMALL = (120, 36), (80, 24)


@pytest.mark.parametrize(
    ("size", "keys", "shows"),
    [
        pytest.param(LARGE, (), "Example 7000", id="machine"),
        pytest.param(LARGE, ("2",), "Slowest acceptable speed", id="needs"),
        pytest.param(LARGE, ("3", "down"), "example/Example-Llama", id="picks"),
        pytest.param(LARGE, ("3", "x"), "2 excluded", id="excluded"),
        pytest.param(LARGE, ("4", "t"), "✓ passed", id="proof"),
        pytest.param(LARGE, ("5",), "example-small", id="export"),
        pytest.param(SMALL, ("2", "down"), "What the model is run for", id="needs-small"),
        pytest.param(SMALL, ("3",), "rank 1 of 3", id="picks-small"),
        pytest.param(SMALL, ("3", "x"), "2 excluded", id="excluded-small"),
        pytest.param(SMALL, ("3", "down", "p"), "[·2]", id="plot-small"),
        pytest.param(LARGE, ("3", "p"), "1. Example Small", id="plot"),
        pytest.param(SMALL, ("3", "question_mark"), "Show only rows that", id="help-small"),
    ],
)
def test_picture(snap_compare: Compare, size: tuple[int, int], keys: tuple[str, ...], shows: str) -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=size, run_before=_after(*keys, shows=shows))


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
def test_picture_of_a_comparison(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    keys = ("3", "space", "down", "space", "down", "space", "c")
    assert snap_compare(app, terminal_size=size, run_before=_after(*keys, shows="Bottom line"))


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
@pytest.mark.parametrize("look", ["light", "without-colour"])
def test_picture_of_the_picks(
    snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], look: str
) -> None:
    if look == "without-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    if look == "light":
        app.theme = "textual-light"
    assert snap_compare(app, terminal_size=size, run_before=_after("3", "space", "down", shows="“Built"))


def test_picture_without_a_pick(snap_compare: Compare) -> None:
    app = AdvisorApp(PinnedAdvisor(ranked=()), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=SMALL, run_before=_after("3", shows="Near miss"))


def test_picture_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    assert snap_compare(app, terminal_size=SMALL, run_before=_after("2", "down", shows="What the model is run for"))
