"""Pictures of every place in dark, light and no colour, large and small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.settings import Settings
from advisor.tui.app import AdvisorApp
from tests.tui.driving import Drive, press, text_of, until
from tests.tui.pinned import PinnedAdvisor
from tests.tui.test_measuring import MeasuringAdvisor

Compare = Callable[..., bool]
SIZES = {"large": (120, 36), "small": (80, 24)}
PLACES = {
    "machine": ((), "Example 7000"),
    "needs": (("2",), "Commercial use"),
    "picks": (("3",), "models remain"),
    "proof": (("4", "t"), "✓ passed"),
    "export": (("5",), "example-small"),
}
LOOKS = {"dark": "advisor", "light": "advisor-light", "plain": "advisor"}


def _after(keys: tuple[str, ...], shows: str) -> Callable[[Drive], object]:
    async def run(pilot: Drive) -> None:
        app = pilot.app
        assert isinstance(app, AdvisorApp)
        await until(pilot, lambda: app.session.found is not None)
        await press(pilot, *keys)
        await until(pilot, lambda: shows in text_of(app))
        app.clear_notifications()
        await pilot.pause()

    return run


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_place(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, place: str, size: str, look: str) -> None:
    if look == "plain":
        monkeypatch.setenv("NO_COLOR", "1")
    keys, shows = PLACES[place]
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), Settings(theme=LOOKS[look]))
    assert snap_compare(app, terminal_size=SIZES[size], run_before=_after(keys, shows))


@pytest.mark.parametrize("size", SIZES)
def test_a_measured_ranking(snap_compare: Compare, size: str) -> None:
    advisor = MeasuringAdvisor()
    advisor.release.set()
    app = AdvisorApp(advisor, None, Path("/nonexistent"), Settings())
    assert snap_compare(app, terminal_size=SIZES[size], run_before=_after(("4", "m"), "Measured on this machine"))


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)], ids=["large", "small", "tiny"])
def test_files_that_run_the_model(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), Settings())
    keys = ("5", "o", *["down"] * 3, "enter")
    assert snap_compare(app, terminal_size=size, run_before=_after(keys, "name: example"))


def test_files_in_ascii_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), Settings(ascii=True))
    keys = ("5", "o", *["down"] * 3, "enter")
    assert snap_compare(app, terminal_size=SIZES["small"], run_before=_after(keys, "name: example"))


def test_in_ascii(snap_compare: Compare) -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), Settings(ascii=True))
    assert snap_compare(app, terminal_size=SIZES["small"], run_before=_after(("4", "t"), "+ passed"))
