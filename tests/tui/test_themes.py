"""What each theme makes of the screens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.color import Color
from rich.segment import Segment

from advisor.settings import Settings
from advisor.tui.app import AdvisorApp
from advisor.tui.theme import THEMES
from tests.tui.driving import Drive, at_rest, press, until
from tests.tui.pinned import PinnedAdvisor

KEYS = ("1", "2", "3", "x", "4", "5")
"""They lead through all places, and once through the table of the excluded."""
LEAST_CONTRAST = 3.0
"""Of large text and of signs, by WCAG 2.2, success criteria 1.4.3 and 1.4.11."""
BLOCKS = range(0x2500, 0x25A0)
"""Lines, bars and their empty parts, which are no text."""
Picture = list[list[Segment]]


def app_in(theme: str) -> AdvisorApp:
    return AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"), Settings(theme))


async def pictures(app: AdvisorApp, pilot: Drive) -> Mapping[str, Picture]:
    """All places as they are drawn in the present theme, by the key that leads there."""
    seen = {}
    for key in KEYS:
        await press(pilot, key)
        await at_rest(pilot)
        seen[key] = [list(Segment.simplify(strip)) for strip in app.screen._compositor.render_strips()]
    await press(pilot, "3", "x", "1")
    return seen


def pale(picture: Picture) -> Iterator[tuple[str, float]]:
    """Each text whose contrast is too low, with the contrast."""
    for segment in itertools.chain.from_iterable(picture):
        style, text = segment.style, segment.text.strip()
        if style is None or style.color is None or style.bgcolor is None or all(ord(c) in BLOCKS for c in text):
            continue
        darker, lighter = sorted(map(luminance, (style.color, style.bgcolor)))
        contrast = (lighter + 0.05) / (darker + 0.05)
        if contrast < LEAST_CONTRAST:
            yield text, round(contrast, 2)


def luminance(color: Color) -> float:
    """Relative luminance from 0 to 1, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.get_truecolor().normalized]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_text_stands_out_from_what_is_behind_it(theme: str) -> None:
    app = app_in(theme)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        for key, picture in (await pictures(app, pilot)).items():
            assert list(pale(picture)) == [], key


async def test_screens_that_were_drawn_in_another_theme_are_drawn_like_those_that_were_not() -> None:
    fresh, changed = app_in("advisor-light"), app_in("advisor")
    async with fresh.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: fresh.session.found is not None)
        expected = await pictures(fresh, pilot)
    async with changed.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: changed.session.found is not None)
        assert await pictures(changed, pilot) != expected
        changed.theme = "advisor-light"
        await at_rest(pilot)
        seen = await pictures(changed, pilot)
    for key in KEYS:
        assert seen[key] == expected[key], key
