"""Starting the app in a test and waiting for what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from advisor.service import Advisor, MachineChoice
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.place import Place

Drive = Pilot[None]


@asynccontextmanager
async def started(
    advisor: Advisor,
    *keys: str,
    size: tuple[int, int] = (120, 36),
    folder: Path = Path("/nonexistent"),
    choice: MachineChoice | None = None,
) -> AsyncIterator[tuple[AdvisorApp, Drive]]:
    """The app with its first recommendation, after some keys."""
    app = AdvisorApp(advisor, choice, folder)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.session.found is not None)
        await press(pilot, *keys)
        yield app, pilot


async def until(pilot: Drive, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true, and fail where it does not; long, since a machine may be slow."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen in time")


async def at_rest(pilot: Drive, seconds: float = 0.1) -> None:
    """Wait for what a timer starts within some seconds, and until no thread works for the screens."""
    await pilot.pause(seconds)
    await until(pilot, lambda: all(worker.is_finished for worker in pilot.app.workers), 30)
    await pilot.pause()


async def press(pilot: Drive, *keys: str) -> None:
    """Press keys, each after the one before has been dealt with."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def place_of(app: AdvisorApp) -> str:
    """The name of the place on screen; the type of the screen where it is none."""
    return app.screen.place if isinstance(app.screen, Place) else type(app.screen).__name__


def text_of(app: AdvisorApp) -> str:
    """Everything on screen as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
