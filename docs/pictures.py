"""Draw the pictures that the README shows, docs/picks.svg and docs/tour.svg: `python -m docs.pictures`.

They are the real program with the shipped catalogue, for a simulated machine, so that everybody gets the same pictures.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from advisor.service import Advisor, MachineChoice
from advisor.settings import Settings
from advisor.tui.app import AdvisorApp

PICKS = Path(__file__).with_name("picks.svg")
TOUR = Path(__file__).with_name("tour.svg")
MACHINE = MachineChoice(file=Path(__file__).with_name("examples") / "desktop.toml")
SIZE = (120, 36)
STILL_S = 4
"""Seconds for which the tour shows each picture."""

_WAIT_S = 60.0
_STEP_S = 0.05
_RANDOM = re.compile(r"terminal-\d+")
_WEB_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_CAPTION_HEIGHT = 60


@dataclass(frozen=True, slots=True)
class Stop:
    """One picture of the tour."""

    keys: tuple[str, ...]
    """What is pressed to come here from the stop before."""
    caption: str


STOPS = (
    Stop((), "1 Machine: what it has, and how many models fit"),
    Stop(("enter",), "3 Picks: the ranking with default answers, and why the first is first"),
    Stop(("2", "p", "down", "down", "enter"), "2 Needs: a preset fills the form; each answer says what it excludes"),
    Stop(("3",), "3 Picks: ranked again for 200 customers who speak French"),
    Stop(("x",), "Each rejection has its reason, and what would admit the model"),
    Stop(("x", "space", "down", "down", "space", "c"), "Two models side by side, and who leads in what"),
    Stop(("escape", "p"), "Quality against speed, and the best at each speed"),
    Stop(("escape", "i"), "What if: other hardware, and what would make a model possible"),
)
_STILL = 1
"""The stop that the README shows as a picture of its own."""


def pictures() -> Mapping[Path, str]:
    """Every picture as SVG, by the file that holds it."""
    shots = asyncio.run(_shots())
    return {PICKS: _framed(shots[_STILL], "terminal"), TOUR: _film(shots)}


async def _shots() -> list[str]:
    app = AdvisorApp(Advisor(), MACHINE, Path("/nonexistent"), Settings())
    async with app.run_test(size=SIZE) as pilot:
        await _settled(app, pilot)
        return [await _shot(app, pilot, stop.keys) for stop in STOPS]


async def _settled(app: AdvisorApp, pilot: Pilot[None]) -> None:
    for _ in range(round(_WAIT_S / _STEP_S)):
        await pilot.pause(_STEP_S)
        if app.session.found is not None and not app.session.is_counting and not len(app.workers):
            return
    raise TimeoutError(f"no recommendation came within {_WAIT_S:.0f} s")


async def _shot(app: AdvisorApp, pilot: Pilot[None], keys: tuple[str, ...]) -> str:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
        await _settled(app, pilot)
    app.clear_notifications()
    await pilot.pause()
    return app.export_screenshot(title="llm-advisor")


def _framed(svg: str, name: str) -> str:
    """With a fixed name in place of the random one that Rich gives, and without fonts from the network."""
    return _WEB_FONTS.sub("", _RANDOM.sub(name, svg))


def _film(shots: list[str]) -> str:
    """The pictures one after the other, without end; the first alone for those who asked for reduced motion."""
    width, height = _size(shots[0])
    share = 100 / len(shots)
    frames = "\n".join(_frame(i, svg, width, height) for i, svg in enumerate(shots))
    return f"""<svg viewBox="0 0 {width:g} {height + _CAPTION_HEIGHT:g}" xmlns="http://www.w3.org/2000/svg">
<style>
.still {{ visibility: hidden; animation: show {STILL_S * len(shots)}s step-end infinite; }}
.still:first-of-type {{ visibility: visible; }}
@keyframes show {{ 0% {{ visibility: visible }} {share:.4f}% {{ visibility: hidden }} }}
@media (prefers-reduced-motion: reduce) {{ .still {{ animation: none; }} }}
.caption {{ font: bold 26px sans-serif; text-anchor: middle; fill: #56b4e9; }}
</style>
<rect width="100%" height="100%" fill="#121212"/>
{frames}
</svg>
"""


def _frame(i: int, svg: str, width: float, height: float) -> str:
    sized = _framed(svg, f"still{i}").replace("<svg ", f'<svg width="{width:g}" height="{height:g}" ', 1)
    baseline = height + _CAPTION_HEIGHT * 0.65
    return f"""<g class="still" style="animation-delay:{STILL_S * i}s">
{sized}
<text class="caption" x="{width / 2:g}" y="{baseline:g}">{STOPS[i].caption}</text>
</g>"""


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("the picture does not say how large it is")
    return float(found[1]), float(found[2])


if __name__ == "__main__":
    for place, svg in pictures().items():
        place.write_text(svg, encoding="utf-8")
