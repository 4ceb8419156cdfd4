"""Draw docs/picks.svg, the screen that the README shows: `python -m docs.pictures`.

It is the real program with the shipped catalogue and default answers, for a simulated machine, so that everybody gets
the same picture.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from advisor.service import Advisor, MachineChoice
from advisor.settings import Settings
from advisor.tui.app import AdvisorApp

PLACE = Path(__file__).with_name("picks.svg")
MACHINE = MachineChoice(file=Path(__file__).with_name("examples") / "desktop.toml")
SIZE = (120, 36)
_WAIT_S = 60.0
_STEP_S = 0.05
_RANDOM = re.compile(r"terminal-\d+")


def picks_picture() -> str:
    """The screen as SVG, with fixed names in place of the random ones that Rich gives."""
    return _RANDOM.sub("terminal", asyncio.run(_drawn()))


async def _drawn() -> str:
    app = AdvisorApp(Advisor(), MACHINE, Path("/nonexistent"), Settings())
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(round(_WAIT_S / _STEP_S)):
            await pilot.pause(_STEP_S)
            if app.session.found is not None and not app.session.is_counting:
                break
        else:
            raise TimeoutError(f"no recommendation came within {_WAIT_S:.0f} s")
        await pilot.press("3")
        await pilot.pause()
        app.clear_notifications()
        await pilot.pause()
        return app.export_screenshot(title="llm-advisor")


if __name__ == "__main__":
    PLACE.write_text(picks_picture(), encoding="utf-8")
