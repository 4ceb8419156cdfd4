"""The screens in this process, driven by random keys and mouse."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import OutOfBounds, WaitForScreenTimeout
from textual.worker import Worker, WorkerState

from advisor.service import Advisor
from advisor.tui.app import AdvisorApp
from tests.soak.inputs import SIZES, Step, steps
from tests.soak.sampling import Clock, Patience, Run, Sampler, held_blocks
from tests.test_terminal import small_knowledge
from tests.tui.driving import Drive
from tests.tui.pinned import REPORT, HereAdvisor

STEPS = 250
"""Of one walk."""
_PATIENCE_S = 300.0
"""Long, since a soak gets only what other work leaves."""
_TRAIL = 40
_DRAWING = ("textual", "rich")
"""Packages that remember drawn lines, up to a bound."""


class WideAdvisor(HereAdvisor):
    """The whole catalogue on a machine written down, with a smoke test and a measurement that take no engine."""

    def smoke(self, candidate: Any, constraints: Any, **channels: Any) -> Any:
        time.sleep(0.05)
        return REPORT

    def measure_finalists(self, found: Any, **channels: Any) -> Any:
        channels["cancel"].wait(0.3)
        return found, ("one was too noisy",)


@dataclass
class Walk:
    """How one walk went."""

    seed: int
    n_steps: int = 0
    trail: list[str] = field(default_factory=list)
    failure: str | None = None


def drive(seconds: float, seed: int, count: int) -> Run:
    """Walk after walk, each with the next seed, until the time is up."""
    run = Run("pilot", "random keys and mouse in process (Pilot)")
    sampler, walks, done = Sampler(), 0, 0
    clock, held = Clock(), list[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        _settle_in(folder)
        knowledge = small_knowledge(folder, 4, 512)
        while clock.seconds < seconds:
            walk = asyncio.run(_walk(seed + walks, count, folder, knowledge, clock))
            walks, done = walks + 1, done + walk.n_steps
            run.samples.append(sampler.look(done))
            print(f"seed {walk.seed}: {walk.n_steps} steps, {run.samples[-1]}", flush=True)  # noqa: T201
            if walk.failure is not None:
                report = f"seed {walk.seed}, step {walk.n_steps}: {walk.failure}"
                run.failures.append(report.splitlines()[0] + " | " + report.strip().splitlines()[-1])
                print(report, "\ntrail: " + " · ".join(walk.trail[-_TRAIL:]), flush=True)  # noqa: T201
            if clock.seconds * 4 >= seconds * len(held):
                held.append(f"{held_blocks(*_DRAWING):,} after walk {walks}")
                print(f"blocks held: {held[-1]}", flush=True)  # noqa: T201
    run.notes.append(f"{walks} walks from seed {seed}, {done} steps in {clock.seconds / 60:.1f} minutes")
    run.notes.append(
        f"Blocks of memory held where the memos of {' and '.join(_DRAWING)} are emptied: {', '.join(held)}"
    )
    return run


def _settle_in(folder: Path) -> None:
    for kind in ("CONFIG", "CACHE", "STATE"):
        os.environ[f"LLM_ADVISOR_{kind}_DIR"] = str(folder / kind.lower())
    os.environ |= {"HOME": str(folder), "HF_HOME": str(folder / "hf"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    os.environ.pop("HF_HUB_OFFLINE", None)
    for kind in ("CONFIG", "CACHE", "STATE", "DATA"):
        os.environ.pop(f"XDG_{kind}_HOME", None)


async def _walk(seed: int, count: int, folder: Path, knowledge: Path, clock: Clock) -> Walk:
    walk = Walk(seed)
    is_wide = seed % 2 == 0
    advisor: Advisor = WideAdvisor() if is_wide else Advisor(knowledge)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    app = AdvisorApp(advisor, None, work)
    broken: list[str] = []

    def watch(message: Any) -> None:
        if isinstance(message, Worker.StateChanged) and message.state is WorkerState.ERROR:
            error = message.worker.error
            broken.append("".join(traceback.format_exception(error)) if error else "a worker broke")

    try:
        async with app.run_test(
            size=random.Random(seed).choice(SIZES[:4]), notifications=True, message_hook=watch
        ) as pilot:
            for step in steps(seed, count):
                if not app.is_running or app._exit:
                    break
                walk.n_steps += 1
                walk.trail.append(str(step))
                await _in_time(_done(pilot, step))
                clock.tick()
                if broken or app._exception is not None:
                    break
    except TimeoutError:
        walk.failure = f"hung for {_PATIENCE_S:.0f} s"
    except Exception:  # whatever it is, it is what this looks for
        walk.failure = traceback.format_exc()
    if broken:
        walk.failure = broken[0]
    return walk


async def _in_time(step: Coroutine[Any, Any, None]) -> None:
    """Wait for a step. Raises TimeoutError where it takes longer than anything should."""
    task, patience = asyncio.ensure_future(step), Patience(_PATIENCE_S)
    while not task.done():
        await asyncio.wait({task}, timeout=1.0)
        if patience.is_over():
            task.cancel()
            raise TimeoutError
    task.result()


async def _done(pilot: Drive, step: Step) -> None:
    """A step and what it leads to; Textual itself waits for 30 s of the clock only."""
    with suppress(WaitForScreenTimeout):
        await _do(pilot, step)
        return
    while True:
        with suppress(WaitForScreenTimeout):
            await pilot.pause()
            return


async def _do(pilot: Drive, step: Step) -> None:
    app, (x, y) = pilot.app, step.place
    offset = int(x * app.size.width), int(y * app.size.height)
    match step.kind:
        case "key":
            await pilot.press(step.text)
        case "text":
            await pilot.press(*step.text)
        case "paste":
            app.post_message(events.Paste(step.text))
        case "resize":
            await pilot.resize_terminal(int(x), int(y))
        case "focus":
            app.post_message(events.AppFocus() if step.text == "in" else events.AppBlur())
        case "wait":
            await pilot.pause(x)
        case _:
            await _mouse(pilot, step, offset)
    await pilot.pause()


async def _mouse(pilot: Drive, step: Step, offset: tuple[int, int]) -> None:
    try:
        match step.kind:
            case "click":
                await pilot.click(offset=offset)
            case "double":
                await pilot.click(offset=offset, times=2)
            case "hover":
                await pilot.hover(offset=offset)
            case "scroll":
                turned = events.MouseScrollUp if step.text == "in" else events.MouseScrollDown
                await pilot._post_mouse_events([turned], offset=offset)
    except OutOfBounds:
        return  # a screen of one cell, or one that went away meanwhile
